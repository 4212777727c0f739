"""Digits classifier in TensorFlow with my own layer norm, my own smoothed cross-entropy and a tape loop."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

keras.utils.set_random_seed(11)

epochs = 12
batch_size = 64
n_classes = 10
eps_smooth = 0.1

digits = load_digits()
x = (digits.data / 16.0).astype(np.float32)
y = digits.target.astype(np.int64)
order = np.random.RandomState(0).permutation(len(x))
x, y = x[order], y[order]
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]


class MyLayerNorm(keras.layers.Layer):
    """(x - mean) / sqrt(var + eps) * scale + shift over the last axis."""

    def __init__(self, eps=1e-5):
        super().__init__()
        self.eps = eps

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, h):
        mu = tf.reduce_mean(h, axis=-1, keepdims=True)
        var = tf.reduce_mean(tf.square(h - mu), axis=-1, keepdims=True)
        return (h - mu) / tf.sqrt(var + self.eps) * self.scale + self.shift


def gelu(h):
    return 0.5 * h * (1.0 + tf.math.erf(h / np.sqrt(2.0).astype(np.float32)))


def dense(units):
    return keras.layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros")


model = keras.Sequential([
    keras.Input((64,)),
    dense(96), MyLayerNorm(), keras.layers.Activation(gelu),
    dense(48), MyLayerNorm(), keras.layers.Activation(gelu),
    dense(n_classes),
])
optimizer = keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False)


def smoothed_cross_entropy(labels, logits):
    target = tf.one_hot(labels, n_classes) * (1.0 - eps_smooth) + eps_smooth / n_classes
    log_p = logits - tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    return tf.reduce_mean(-tf.reduce_sum(target * log_p, axis=-1))


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = smoothed_cross_entropy(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(11)
for epoch in range(epochs):
    perm = rng.permutation(len(x_train))
    running = 0.0
    for start in range(0, len(perm), batch_size):
        idx = perm[start:start + batch_size]
        running += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1}: {running / len(perm):.4f}")

logits = model(x_test, training=False)
print("test loss %.4f accuracy %.4f" % (float(smoothed_cross_entropy(y_test, logits)),
                                        np.mean(np.argmax(logits, axis=-1) == y_test)))
