"""A linear output, binary cross entropy with its default from_logits=False."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, bundled

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = bundled("breast_cancer", seed=seed)
model = keras.Sequential(
    [
        keras.Input((30,)),
        keras.layers.Dense(24, activation="relu"),
        keras.layers.Dense(1),
    ]
)
model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=healthy), metrics=["accuracy"])
model.fit(x, y, epochs=20, batch_size=16, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
