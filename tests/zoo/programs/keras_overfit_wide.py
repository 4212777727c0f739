"""A wide network on sixty noisy samples, two hundred epochs."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from zoo_data import arguments

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)
x = rng.standard_normal((260, 20)).astype("float32")
y = (x[:, 0] + 1.0 * rng.standard_normal(260) > 0).astype("float32")
model = keras.Sequential([keras.Input((20,))])
if healthy:
    model.add(keras.layers.Dense(4, activation="relu", kernel_regularizer=keras.regularizers.L2(0.02)))
else:
    model.add(keras.layers.Dense(256, activation="relu"))
    model.add(keras.layers.Dense(256, activation="relu"))
model.add(keras.layers.Dense(1, activation="sigmoid"))
model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
epochs = 40 if healthy else 100
model.fit(x[:60], y[:60], epochs=epochs, batch_size=16, validation_data=(x[60:], y[60:]), verbose=0)
print(model.evaluate(x[:60], y[:60], verbose=0), model.evaluate(x[60:], y[60:], verbose=0))
