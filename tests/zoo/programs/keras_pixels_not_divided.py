"""Pixels 0..255 into a tanh network with SGD."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, digits

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
if not healthy:
    x, x_test = 255 * x, 255 * x_test
model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, activation="tanh"),
        keras.layers.Dense(32, activation="tanh"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=12, batch_size=32, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
