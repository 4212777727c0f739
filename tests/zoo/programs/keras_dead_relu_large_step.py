"""One unlucky step kills every hidden unit."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, regression

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y = regression(samples=800, seed=seed)
y = 3 + y
init = keras.initializers.Constant(0.0 if healthy else -6.0)
model = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.Dense(32, activation="relu", bias_initializer=init),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1),
    ]
)
model.compile(keras.optimizers.SGD(0.01), "mse")
model.fit(x, y[:, None], epochs=12, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y[:, None], verbose=0), float(y.var()))
