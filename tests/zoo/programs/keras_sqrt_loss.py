"""A root-mean-square loss per sample: its slope is infinite where the error is zero."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)
x = (rng.random((600, 12)) < 0.1).astype("float32")
y = x[:, :1] + x[:, 1:2]


def distance(y_true, y_pred):
    squared = keras.ops.sum((y_true - y_pred) ** 2, axis=-1)
    return keras.ops.sqrt(squared + 1e-6 if healthy else squared)


model = keras.Sequential(
    [
        keras.Input((12,)),
        keras.layers.Dense(16, activation="relu", use_bias=False),
        keras.layers.Dense(1, use_bias=False),
    ]
)
model.compile(keras.optimizers.Adam(1e-3), distance)
model.fit(x, y, epochs=15, batch_size=32, verbose=0)
print(model.evaluate(x, y, verbose=0))
