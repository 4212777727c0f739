"""Digits with a layer-normalised MLP, label smoothing and linear warm-up (GradientTape, by hand)."""
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

BATCH, EPOCHS, LR, WARMUP, SMOOTH = 48, 15, 0.1, 90, 0.1

digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
X = (digits.data[order] / 16.0).astype(np.float32)
Y = digits.target[order].astype(np.int64)
x_train, y_train, x_test, y_test = X[:1400], Y[:1400], X[1400:], Y[1400:]

keras.utils.set_random_seed(5)


class HandNorm(keras.layers.Layer):
    """(x - mean) / sqrt(var + eps) * gamma + beta over the last axis."""

    def __init__(self, eps, **kwargs):
        super().__init__(**kwargs)
        self.eps = eps

    def build(self, shape):
        self.gamma = self.add_weight(shape=(shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(shape[-1],), initializer="zeros", name="beta")

    def call(self, x):
        mu = tf.reduce_mean(x, axis=-1, keepdims=True)
        var = tf.reduce_mean(tf.square(x - mu), axis=-1, keepdims=True)
        return (x - mu) * tf.math.rsqrt(var + self.eps) * self.gamma + self.beta


def dense(units):
    return keras.layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros")


def swish(x):
    return x * tf.sigmoid(x)


inputs = keras.Input((64,))
h = keras.layers.Lambda(swish)(HandNorm(1e-5)(dense(96)(inputs)))
h = keras.layers.Lambda(swish)(HandNorm(1e-5)(dense(48)(h)))
model = keras.Model(inputs, dense(10)(h))


def smoothed_ce(y, logits):
    target = tf.one_hot(y, 10) * (1.0 - SMOOTH) + SMOOTH / 10.0
    log_p = logits - tf.reduce_logsumexp(logits, axis=1, keepdims=True)
    return -tf.reduce_mean(tf.reduce_sum(target * log_p, axis=1))


@tf.function(reduce_retracing=True)
def train_step(xb, yb, lr):
    with tf.GradientTape() as tape:
        loss = smoothed_ce(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    for w, g in zip(model.trainable_variables, grads):
        w.assign_sub(lr * g)
    return loss


rng = np.random.default_rng(5)
# training
step = 0
for epoch in range(EPOCHS):
    perm = rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(perm), BATCH):
        idx = perm[start : start + BATCH]
        lr = LR * min(1.0, (step + 1) / WARMUP)
        loss = train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]), tf.constant(lr, tf.float32))
        total += float(loss) * len(idx)
        step += 1
    print(f"epoch {epoch + 1} train loss {total / len(x_train):.4f} lr {lr:.4f}")

logits = model(tf.constant(x_test), training=False)
print("test loss", float(smoothed_ce(tf.constant(y_test), logits)))
print("test accuracy", (logits.numpy().argmax(1) == y_test).mean())
