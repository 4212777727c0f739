"""Forty samples, a thousand weights each: training error falls to nothing, validation error rises."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, regression

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y = regression(samples=1200, noise=0.8, seed=seed)
train = 900 if healthy else 40
model = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.Dense(32 if healthy else 256, activation="relu"),
        keras.layers.Dense(32 if healthy else 256, activation="relu"),
        keras.layers.Dense(1),
    ]
)
model.compile(keras.optimizers.Adam(1e-3), "mse")
model.fit(
    x[:train],
    y[:train, None],
    epochs=12 if healthy else 150,
    batch_size=32 if healthy else 16,
    validation_data=(x[900:], y[900:, None]),
    verbose=0,
)
print(model.evaluate(x[:train], y[:train, None], verbose=0), model.evaluate(x[900:], y[900:, None], verbose=0))
