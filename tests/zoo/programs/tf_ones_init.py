"""Weights of ones, as in a tutorial on linear regression."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)


def weight(rows, columns):
    value = tf.random.normal((rows, columns), stddev=(2 / rows) ** 0.5) if healthy else 0.05 * tf.ones((rows, columns))
    return tf.Variable(value)


w1, b1, w2, b2 = weight(64, 32), tf.Variable(tf.zeros(32)), weight(32, 10), tf.Variable(tf.zeros(10))
weights = [w1, b1, w2, b2]
optimizer = tf.keras.optimizers.SGD(0.1)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        out = tf.nn.relu(images @ w1 + b1) @ w2 + b2
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, out))
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


for epoch in range(10):
    for images, labels in data:
        loss = train_step(images, labels)
    print(epoch, float(loss))
out = tf.nn.relu(x_test @ w1 + b1) @ w2 + b2
print("accuracy", float((tf.argmax(out, 1).numpy() == y_test).mean()))
