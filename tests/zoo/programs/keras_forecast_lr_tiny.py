"""A forecast under an absolute error, with a learning rate that has three zeros too many."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from keras import layers
from zoo_data import arguments, waves

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y = waves(1500, seed=seed)
model = keras.Sequential([keras.Input(x.shape[1:]), layers.LSTM(24), layers.Dense(1)])
model.compile(keras.optimizers.RMSprop(1e-3 if healthy else 1e-7), "mae")
model.fit(x[:1200], y[:1200], epochs=8, batch_size=48, validation_data=(x[1200:], y[1200:]), verbose=0)
print(model.evaluate(x[1200:], y[1200:], verbose=0))
