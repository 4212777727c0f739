"""Regression that soon reaches the noise: an early plateau, nothing wrong."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments

seed, _ = arguments()
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)
x = rng.standard_normal((1000, 5)).astype("float32")
y = (x @ [0.5, -0.3, 0.2, 0.0, 0.1] + rng.standard_normal(1000)).astype("float32")
model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
model.fit(x, y, epochs=15, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y, verbose=0), float(y.var()))
