"""Counts with a Poisson loss, which may be negative."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments

seed, _ = arguments()
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)
x = rng.standard_normal((1000, 6)).astype("float32")
y = rng.poisson(np.exp(2 + 0.4 * x[:, 0])).astype("float32")
model = keras.Sequential(
    [keras.Input((6,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1, activation="softplus")]
)
model.compile(keras.optimizers.Adam(3e-3), "poisson")
model.fit(x, y, epochs=12, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y, verbose=0))
