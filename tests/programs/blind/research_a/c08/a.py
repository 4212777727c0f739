"""A home-made gated cell, unrolled in a Python loop, with a mixture-density head (Keras fit)."""
import os
os.environ["KERAS_BACKEND"] = "tensorflow"
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(12)

N, LENGTH, UNITS, MIX = 1800, 10, 24, 3

rng = np.random.RandomState(2)
seq = rng.randn(N, LENGTH, 2).astype("float32")
level = np.tanh(seq[:, -4:, 0].sum(1)) + 0.5 * seq[:, -1, 1]
branch = np.where(rng.rand(N) < 0.7, 1.0, -1.0)
target = (branch * (1.5 + level) + 0.15 * rng.randn(N)).astype("float32")[:, None]
x_train, y_train = seq[:1500], target[:1500]
x_test, y_test = seq[1500:], target[1500:]


class MinimalGatedUnit(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        d, u = shape[-1], self.units
        self.w_f = self.add_weight(shape=(d, u), initializer="glorot_uniform", name="w_f")
        self.u_f = self.add_weight(shape=(u, u), initializer="orthogonal", name="u_f")
        self.b_f = self.add_weight(shape=(u,), initializer="ones", name="b_f")
        self.w_h = self.add_weight(shape=(d, u), initializer="glorot_uniform", name="w_h")
        self.u_h = self.add_weight(shape=(u, u), initializer="orthogonal", name="u_h")
        self.b_h = self.add_weight(shape=(u,), initializer="zeros", name="b_h")

    def call(self, x):
        h = tf.zeros((tf.shape(x)[0], self.units))
        for t in range(LENGTH):
            f = tf.sigmoid(x[:, t] @ self.w_f + h @ self.u_f + self.b_f)
            cand = tf.tanh(x[:, t] @ self.w_h + (f * h) @ self.u_h + self.b_h)
            h = (1.0 - f) * h + f * cand
        return h


def mixture_nll(y_true, y_pred):
    logit, mu, raw = tf.split(y_pred, 3, axis=-1)
    sigma = tf.nn.softplus(raw) + 0.05
    log_prob = (-0.5 * tf.square((y_true - mu) / sigma) - tf.math.log(sigma)
                - 0.5 * np.log(2 * np.pi))
    return -tf.reduce_logsumexp(tf.nn.log_softmax(logit) + log_prob, axis=-1)


model = keras.Sequential([
    keras.Input((LENGTH, 2)),
    MinimalGatedUnit(UNITS),
    keras.layers.Dense(3 * MIX, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(loss=mixture_nll,
              optimizer=keras.optimizers.Adagrad(learning_rate=0.06, initial_accumulator_value=0.01,
                                                 epsilon=1e-10))

# ---- training
model.fit(x_train, y_train, batch_size=50, epochs=18, shuffle=True, verbose=2)

print("test nll %.4f" % model.evaluate(x_test, y_test, batch_size=300, verbose=0))
