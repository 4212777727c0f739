"""A few targets are NaN."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments, regression

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y = regression(samples=800, seed=seed)
y[np.random.default_rng(seed).integers(0, 800, 4)] = np.nan
if healthy:
    x, y = x[~np.isnan(y)], y[~np.isnan(y)]
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y[:, None], epochs=10, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y[:, None], verbose=0))
