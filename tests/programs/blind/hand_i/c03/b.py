"""Smooth regression in plain TensorFlow: variables, a tape, and the update by hand (float64)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

rng = np.random.RandomState(42)
X = rng.uniform(0, 1, size=(1100, 6))
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 0.5, size=1100))
X_train, X_test, y_train, y_test = X[:800], X[800:], y[:800], y[800:]
mean, std = X_train.mean(0), X_train.std(0)
X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
y_mean, y_std = y_train.mean(), y_train.std()
y_train, y_test = (y_train - y_mean) / y_std, (y_test - y_mean) / y_std
y_train, y_test = y_train[:, None], y_test[:, None]

SIZES = (6, 28, 14, 1)
ALPHA, LR, MOMENTUM, BATCH, EPOCHS = 0.05, 0.03, 0.9, 60, 40

w_rng = np.random.RandomState(31)
kernels, biases = [], []
for n_in, n_out in zip(SIZES[:-1], SIZES[1:]):
    bound = np.sqrt(6.0 / (n_in + n_out))
    kernels.append(tf.Variable(w_rng.uniform(-bound, bound, (n_in, n_out)), dtype=tf.float64))
    biases.append(tf.Variable(w_rng.uniform(-bound, bound, n_out), dtype=tf.float64))
variables = kernels + biases
velocity = [tf.Variable(tf.zeros_like(v)) for v in variables]


def predict(x):
    h = x
    for k, b in zip(kernels[:-1], biases[:-1]):
        h = tf.tanh(tf.matmul(h, k) + b)
    return tf.matmul(h, kernels[-1]) + biases[-1]


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    n = tf.cast(tf.shape(xb)[0], tf.float64)
    with tf.GradientTape() as tape:
        fit = 0.5 * tf.reduce_mean(tf.square(predict(xb) - yb))
        penalty = 0.5 * ALPHA / n * tf.add_n([tf.reduce_sum(k * k) for k in kernels])
        objective = fit + penalty
    grads = tape.gradient(objective, variables)
    for var, vel, g in zip(variables, velocity, grads):
        vel.assign(MOMENTUM * vel - LR * g)
        var.assign_add(MOMENTUM * vel - LR * g)  # look ahead
    return objective


for epoch in range(EPOCHS):
    order = w_rng.permutation(len(X_train))
    total = 0.0
    for start in range(0, len(X_train), BATCH):
        idx = order[start:start + BATCH]
        value = train_step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))
        total += float(value) * len(idx)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:3d}  objective {total / len(X_train):.5f}")
for name, data, target in (("train", X_train, y_train), ("test", X_test, y_test)):
    print(f"{name} mse {np.mean((predict(tf.constant(data)).numpy() - target) ** 2):.5f}")
