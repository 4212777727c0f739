"""Eight sigmoid layers of SGD."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, digits

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
model = keras.Sequential([keras.Input((64,))])
for _ in range(8):
    if healthy:
        model.add(keras.layers.Dense(32, activation="relu", kernel_initializer="he_normal"))
    else:
        model.add(keras.layers.Dense(32, activation="sigmoid"))
model.add(keras.layers.Dense(10, activation="softmax"))
model.compile(keras.optimizers.SGD(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, batch_size=32, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
