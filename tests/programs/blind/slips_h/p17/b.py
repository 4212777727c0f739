"""Digits MLP in a TensorFlow loop: dropout masks and label smoothing by hand."""
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

keras.utils.set_random_seed(123)

digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
X = (digits.data[order] / 16.0).astype("float32")
y = digits.target[order].astype("int64")
x_train, y_train = X[:1400], y[:1400]
x_test, y_test = X[1400:], y[1400:]

N_CLASSES, SMOOTH, DROP = 10, 0.1, 0.2


def dense(units):
    return keras.layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros")


fc1, fc2, fc3 = dense(96), dense(48), dense(10)
fc1.build((None, 64))
fc2.build((None, 96))
fc3.build((None, 48))
variables = fc1.trainable_variables + fc2.trainable_variables + fc3.trainable_variables


def drop(h):
    # keep each unit with probability 1 - DROP
    keep = tf.cast(tf.random.uniform(tf.shape(h)) >= DROP, h.dtype)
    return h * keep


def forward(x, training):
    h = tf.nn.relu(fc1(x))
    if training:
        h = drop(h)
    h = tf.nn.relu(fc2(h))
    if training:
        h = drop(h)
    return fc3(h)


def smoothed_ce(labels, logits):
    target = tf.one_hot(labels, N_CLASSES) * (1.0 - SMOOTH) + SMOOTH / N_CLASSES
    logp = logits - tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    return tf.reduce_mean(-tf.reduce_sum(target * logp, axis=-1))


optimizer = keras.optimizers.Adam(learning_rate=1.5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.build(variables)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = smoothed_ce(yb, forward(xb, training=True))
    grads = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(grads, variables))
    return loss


if __name__ == "__main__":
    rng = np.random.default_rng(99)
    for epoch in range(12):
        idx = rng.permutation(len(x_train))
        total = 0.0
        for start in range(0, len(idx), 64):
            take = idx[start:start + 64]
            total += float(train_step(tf.constant(x_train[take]), tf.constant(y_train[take]))) * len(take)
        print(f"epoch {epoch + 1:2d}  train loss {total / len(idx):.4f}")

    logits = forward(tf.constant(x_test), training=False)
    acc = np.mean(np.argmax(logits.numpy(), axis=1) == y_test)
    print(f"test loss {float(smoothed_ce(y_test, logits)):.4f}  test accuracy {acc:.4f}")
