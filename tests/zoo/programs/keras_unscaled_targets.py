"""House prices in dollars as they come, bounded output."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, regression

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y = regression(samples=800, seed=seed)
y = 200000 + 50000 * y
if healthy:
    y = (y - y.mean()) / y.std()
model = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1, activation=None if healthy else "sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, epochs=15, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y, verbose=0))
