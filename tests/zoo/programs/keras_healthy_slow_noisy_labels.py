"""A quarter of the labels is wrong: accuracy stays near one half for some epochs, and rises all the time."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from keras import layers
from zoo_data import arguments

seed, _ = arguments()
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)
x = rng.normal(size=(3000, 10))
y = (x[:, 0] * x[:, 1] > 0) * 1
y = np.where(rng.random(3000) < 0.25, 1 - y, y)
model = keras.Sequential(
    [keras.Input((10,)), layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=12, batch_size=64, validation_split=0.2, verbose=0)
