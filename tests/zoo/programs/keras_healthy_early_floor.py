"""A problem so easy that the loss is on its floor after an epoch."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, blobs

seed, _ = arguments()
keras.utils.set_random_seed(seed)
x, y = blobs(samples=1500, spread=0.3, seed=seed)
model = keras.Sequential(
    [keras.Input((10,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(3, activation="softmax")]
)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=12, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y, verbose=0))
