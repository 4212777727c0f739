"""A wide network on sixty noisy samples, a hundred epochs; with two thousand all is well."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)
train = 2000 if healthy else 60
x = rng.standard_normal((train + 200, 20)).astype("float32")
y = (x[:, 0] + 1.0 * rng.standard_normal(train + 200) > 0).astype("float32")
model = keras.Sequential(
    [
        keras.Input((20,)),
        keras.layers.Dense(8 if healthy else 256, activation="relu"),
        keras.layers.Dense(8 if healthy else 256, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
model.fit(
    x[:train], y[:train], epochs=6 if healthy else 100, batch_size=16, validation_data=(x[train:], y[train:]), verbose=0
)
print(model.evaluate(x[:train], y[:train], verbose=0), model.evaluate(x[train:], y[train:], verbose=0))
