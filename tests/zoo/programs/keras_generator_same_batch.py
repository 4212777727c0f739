"""A generator that forgets to move its index."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, digits

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)


def batches(size=32):
    i = 0
    while True:
        yield x[i : i + size], y[i : i + size]
        if healthy:
            i = (i + size) % (len(x) - size)


model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(batches(), steps_per_epoch=42, epochs=8, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
