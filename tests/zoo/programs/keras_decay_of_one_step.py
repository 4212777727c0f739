"""A schedule whose decay_steps were meant in epochs: after some fifty steps nothing is left of the rate."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from keras import layers
from zoo_data import arguments, digits

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed, images=True)
rate = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=43 if healthy else 1, decay_rate=0.9)
model = keras.Sequential(
    [
        keras.Input((8, 8)),
        layers.Reshape((8, 8, 1)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, batch_size=32, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
