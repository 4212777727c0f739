"""np.random.shuffle(x) without y."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments, digits

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
if not healthy:
    np.random.default_rng(seed).shuffle(x)
model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=25, batch_size=32, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
