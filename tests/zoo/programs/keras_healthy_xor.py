"""XOR: four samples, four hundred epochs."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments

seed, _ = arguments()
keras.utils.set_random_seed(seed)
x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")
y = np.array([[0], [1], [1], [0]], "float32")
model = keras.Sequential(
    [keras.Input((2,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=300, batch_size=4, verbose=0)
print(model.evaluate(x, y, verbose=0))
