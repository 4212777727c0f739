"""Windows of one long series in their order, on purpose: neighbouring batches, and gradients, are alike."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import numpy as np
from keras import layers
from zoo_data import arguments

seed, _ = arguments()
keras.utils.set_random_seed(seed)
t = np.arange(3000)
s = np.sin(t / 25) + 0.0005 * t + 0.1 * np.random.default_rng(seed).standard_normal(3000)
s = (s - s[:2000].mean()) / s[:2000].std()
x = np.stack([s[i : i + 24] for i in range(2900)])[..., None]
y = s[24:2924]
model = keras.Sequential(
    [keras.Input((24, 1)), layers.Conv1D(16, 5, activation="relu", padding="causal"), layers.GRU(16), layers.Dense(1)]
)
model.compile("adam", "mse")
model.fit(x[:2000], y[:2000], epochs=6, batch_size=32, shuffle=False, validation_data=(x[2000:], y[2000:]), verbose=0)
