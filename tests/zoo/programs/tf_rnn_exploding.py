"""A recurrence unrolled by hand, weights too large, no clipping."""

import tensorflow as tf
from zoo_data import arguments, waves

seed, healthy = arguments()
tf.random.set_seed(seed)
x, y = waves(length=20, seed=seed)
y = y[:, None]
scale = 0.15 if healthy else 0.5
w_in = tf.Variable(tf.random.normal((1, 24), stddev=0.5))
w_rec = tf.Variable(tf.random.normal((24, 24), stddev=scale))
w_out = tf.Variable(tf.random.normal((24, 1), stddev=0.2))
weights = [w_in, w_rec, w_out]
optimizer = tf.keras.optimizers.SGD(0.01)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1000, seed=seed).batch(32).repeat(15)


@tf.function
def train_step(a, b):
    with tf.GradientTape() as tape:
        state = tf.zeros((tf.shape(a)[0], 24))
        for t in range(20):
            state = tf.nn.relu(a[:, t] @ w_in + state @ w_rec)
        loss = tf.reduce_mean((state @ w_out - b) ** 2)
    gradients = tape.gradient(loss, weights)
    if healthy:
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
    optimizer.apply_gradients(zip(gradients, weights))
    return loss


for i, (a, b) in enumerate(data):
    loss = train_step(a, b)
    if i % 40 == 0:
        print(i, float(loss))
