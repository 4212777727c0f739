"""SGD with learning_rate=1e-6."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, bundled

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = bundled("wine", seed=seed)
model = keras.Sequential(
    [keras.Input((13,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(3, activation="softmax")]
)
model.compile(keras.optimizers.SGD(0.05 if healthy else 1e-6), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=50, batch_size=16, validation_data=(x_test, y_test), verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
