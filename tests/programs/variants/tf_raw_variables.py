"""No Keras: two variables, a squared difference, updates by hand within a tf.function."""

import sys

import tensorflow as tf

tf.random.set_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
x = tf.random.normal([240, 3], seed=4)
y = tf.reduce_sum(x, 1, keepdims=True) + 1.0
w = tf.Variable(tf.random.normal([3, 1], stddev=0.1), name="w")
b = tf.Variable(tf.zeros([1]), name="b")


@tf.function
def step(features, target):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.math.squared_difference(tf.matmul(features, w) + b, target)) / 40.0
    dw, db = tape.gradient(loss, [w, b])
    w.assign_sub(0.05 * dw)
    b.assign_sub(0.05 * db)
    return loss


for _ in range(5):
    for at in range(0, 240, 40):
        loss = step(x[at : at + 40], y[at : at + 40])
print(f"loss {float(loss):.6g}")
