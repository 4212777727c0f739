"""Binary classification with softmax over a single unit."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, bundled

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = bundled("breast_cancer", seed=seed)
model = keras.models.Sequential()
model.add(keras.Input((30,)))
model.add(keras.layers.Dense(16, activation="relu"))
model.add(keras.layers.Dense(8, activation="relu"))
model.add(keras.layers.Dense(1, activation="sigmoid" if healthy else "softmax"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x, y, epochs=20, batch_size=16, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
