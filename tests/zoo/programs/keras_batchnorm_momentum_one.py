"""BatchNormalization(momentum=1.0): the moving averages stay where they began."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, bundled

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = bundled("wine", scaled=False, seed=seed)
momentum = 0.8 if healthy else 1.0
model = keras.Sequential(
    [
        keras.Input((13,)),
        keras.layers.BatchNormalization(momentum=momentum),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.BatchNormalization(momentum=momentum),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=30, batch_size=16, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
