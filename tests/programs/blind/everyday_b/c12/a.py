"""Diabetes progression, Keras."""
import math

import keras
import numpy as np
from sklearn.datasets import load_diabetes

keras.utils.set_random_seed(0)

data = load_diabetes()
perm = np.random.default_rng(1).permutation(len(data.target))
X, y = data.data[perm], data.target[perm]
X_train, X_test = X[:360], X[360:]
y_train, y_test = y[:360], y[360:]
m, s = X_train.mean(axis=0), X_train.std(axis=0)
X_train = ((X_train - m) / s).astype(np.float32)
X_test = ((X_test - m) / s).astype(np.float32)
y_mean, y_std = y_train.mean(), y_train.std()
y_train = ((y_train - y_mean) / y_std).astype(np.float32)

BATCH = 40
ALPHA = 0.5  # as in scikit-learn: ALPHA / (2 * batch size) * sum of squares


def dense(fan_in, units, activation=None):
    bound = math.sqrt(6 / (fan_in + units))
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


def half_mse(y_true, y_pred):
    return 0.5 * keras.ops.mean(keras.ops.square(y_pred - y_true), axis=-1)


model = keras.Sequential([keras.Input((10,)), dense(10, 20, "tanh"), dense(20, 10, "tanh"), dense(10, 1)])
model.compile(
    loss=half_mse,
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
)

# ---- training
history = model.fit(X_train, y_train[:, None], batch_size=BATCH, epochs=45, verbose=0)
losses = history.history["loss"]
print("training loss: first %.4f, last %.4f" % (losses[0], losses[-1]))
pred = model.predict(X_test, verbose=0)[:, 0] * y_std + y_mean
print("test RMSE %.3f" % np.sqrt(np.mean((pred - y_test) ** 2)))
print("test R2 %.4f" % (1 - np.sum((pred - y_test) ** 2) / np.sum((y_test - y_test.mean()) ** 2)))
