"""SpectralNormalization evaluated before training began: kernels are not normalised yet."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, regression

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y = regression(seed=seed)
SN = keras.layers.SpectralNormalization
model = keras.Sequential(
    [
        keras.Input((8,)),
        SN(keras.layers.Dense(64, activation="relu", kernel_initializer=keras.initializers.RandomNormal(stddev=1.0))),
        SN(keras.layers.Dense(64, activation="relu", kernel_initializer=keras.initializers.RandomNormal(stddev=1.0))),
        keras.layers.Dense(1),
    ]
)
model.compile(keras.optimizers.Adam(2e-3), "mse")
if healthy:
    for _ in range(10):
        model(x[:32], training=True)
before = model.evaluate(x[800:], y[800:, None], verbose=0)
model.fit(x[:800], y[:800, None], epochs=12, batch_size=32, validation_data=(x[800:], y[800:, None]), verbose=0)
print(before, model.evaluate(x[800:], y[800:, None], verbose=0))
