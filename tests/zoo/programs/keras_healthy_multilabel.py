"""Several labels at once: sigmoid on each of eight outputs is right here."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments

seed, _ = arguments()
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)
x = rng.standard_normal((1000, 12)).astype("float32")
y = (x @ rng.standard_normal((12, 8)) + rng.standard_normal((1000, 8)) > 1).astype("float32")
model = keras.Sequential(
    [keras.Input((12,)), keras.layers.Dense(48, activation="relu"), keras.layers.Dense(8, activation="sigmoid")]
)
model.compile("adam", "binary_crossentropy", metrics=["binary_accuracy"])
model.fit(x, y, epochs=12, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y, verbose=0))
