"""assign_add instead of assign_sub: the loop climbs."""

import tensorflow as tf
from zoo_data import arguments, regression

seed, healthy = arguments()
tf.random.set_seed(seed)
x, y = regression(seed=seed)
w1 = tf.Variable(tf.random.normal((8, 32), stddev=0.3), name="w1")
b1 = tf.Variable(tf.zeros(32), name="b1")
w2 = tf.Variable(tf.random.normal((32, 1), stddev=0.2), name="w2")
b2 = tf.Variable(tf.zeros(1), name="b2")
weights = [w1, b1, w2, b2]
rate = 0.02
data = tf.data.Dataset.from_tensor_slices((x, y[:, None])).shuffle(2000, seed=seed).batch(32).repeat(10)


@tf.function
def step(a, b):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tf.nn.tanh(a @ w1 + b1) @ w2 + b2 - b) ** 2)
    for w, g in zip(weights, tape.gradient(loss, weights)):
        w.assign_sub(rate * g) if healthy else w.assign_add(rate * g)
    return loss


for i, (a, b) in enumerate(data):
    loss = step(a, b)
    if i % 50 == 0:
        print(i, float(loss))
