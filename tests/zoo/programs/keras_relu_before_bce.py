"""ReLU as the output activation of a binary classifier."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, moons

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y = moons(seed=seed)
model = keras.Sequential(
    [
        keras.Input((2,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid" if healthy else "relu"),
    ]
)
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.005), metrics=["accuracy"])
model.fit(x, y, epochs=25, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y, verbose=0))
