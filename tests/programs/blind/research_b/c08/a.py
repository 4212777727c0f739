"""Mixture density network for the inverse of a wiggly curve (Keras fit with an own loss)."""
import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SEED = 14
K, WIDTH = 5, 32
BATCH, EPOCHS, LR = 96, 40, 8e-3


def inverse_problem(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.uniform(-1, 1, size=(n, 1))
    x = 0.7 * y + 0.6 * np.sin(5.0 * y) + 0.08 * rng.normal(size=(n, 1))
    return x.astype(np.float32), y.astype(np.float32)


def mixture_nll(y_true, params):
    logits, mu, raw = tf.split(params, 3, axis=-1)
    sigma = tf.nn.softplus(raw) + 0.01
    standard = (y_true - mu) / sigma
    log_normal = -0.5 * tf.square(standard) - tf.math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return -tf.reduce_logsumexp(tf.nn.log_softmax(logits) + log_normal, axis=-1)


keras.utils.set_random_seed(SEED)
x, y = inverse_problem(1100, 0)
xv, yv = inverse_problem(500, 1)

inputs = keras.Input((1,))
h = layers.Dense(WIDTH, activation="tanh", kernel_initializer="glorot_uniform")(inputs)
h = layers.Dense(WIDTH, activation="tanh", kernel_initializer="glorot_uniform")(h)
mix = layers.Dense(K, kernel_initializer="glorot_uniform")(h)
mean = layers.Dense(
    K, kernel_initializer="glorot_uniform", bias_initializer=keras.initializers.RandomUniform(-1.0, 1.0))(h)
scale = layers.Dense(K, kernel_initializer="glorot_uniform")(h)
model = keras.Model(inputs, layers.Concatenate()([mix, mean, scale]))

model.compile(
    optimizer=keras.optimizers.Adamax(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=mixture_nll,
)
history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch in range(9, EPOCHS, 10):
    print(f"epoch {epoch + 1}  nll {history.history['loss'][epoch]:.4f}")
print(f"held-out nll {model.evaluate(xv, yv, batch_size=500, verbose=0):.4f}")
