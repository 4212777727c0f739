"""kernel_initializer='zeros' in every layer."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, bundled

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = bundled("iris", seed=seed)
init = "glorot_uniform" if healthy else "zeros"
model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.Dense(16, activation="tanh", kernel_initializer=init),
        keras.layers.Dense(8, activation="tanh", kernel_initializer=init),
        keras.layers.Dense(3, activation="softmax", kernel_initializer=init),
    ]
)
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=40, batch_size=16, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
