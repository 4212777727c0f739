"""A trained body is frozen, a new head is fitted, then all is fine-tuned slowly."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, digits

seed, _ = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
body = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64, activation="relu")])
first = keras.Sequential([body, keras.layers.Dense(2, activation="softmax")])
first.compile("adam", "sparse_categorical_crossentropy")
first.fit(x, y % 2, epochs=5, verbose=0)
body.trainable = False
model = keras.Sequential([body, keras.layers.Dense(10, activation="softmax")])
model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=6, validation_data=(x_test, y_test), verbose=0)
body.trainable = True
model.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
