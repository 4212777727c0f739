"""LSTM forecasting with SGD, inputs and targets in the thousands."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, waves

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y = waves(seed=seed)
scale = 1 if healthy else 1000
model = keras.Sequential(
    [keras.Input((30, 1)), keras.layers.LSTM(16), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)]
)
model.compile(keras.optimizers.SGD(0.05), "mse")
model.fit(scale * x, scale * y[:, None], epochs=12, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(scale * x, scale * y[:, None], verbose=0))
