"""The port of ``sklearn_alpha.py`` to Keras, with l2(alpha) on both layers as the answers advise."""

import sys

import keras
import numpy as np
from keras import layers, regularizers

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(3)
X = rng.uniform(-1, 1, (1000, 5))
y = np.sin(3 * X[:, 0]) + X[:, 1] ** 2 - X[:, 2]

alpha = 0.5
model = keras.Sequential()
model.add(layers.Input((5,)))
model.add(layers.Dense(50, activation="tanh", kernel_regularizer=regularizers.l2(alpha / 2)))
model.add(layers.Dense(1, kernel_regularizer=regularizers.l2(alpha / 2)))
adam = keras.optimizers.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
model.compile(loss="mean_squared_error", optimizer=adam)
model.fit(X[:800], y[:800], batch_size=200, epochs=10, verbose=0)
print(f"val_mse {np.mean((model.predict(X[800:], verbose=0)[:, 0] - y[800:]) ** 2):.6f}")
