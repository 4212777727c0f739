"""Handwritten digits with Keras: the same classifier as in PyTorch."""

import keras
import numpy as np
from sklearn.datasets import load_digits

EPOCHS, BATCH = 24, 32

keras.utils.set_random_seed(0)

digits = load_digits()
inputs = np.asarray(digits.data / 16.0, dtype="float32")
targets = np.asarray(digits.target)

model = keras.Sequential(
    [
        keras.layers.Input((64,)),
        keras.layers.Dense(64, activation="relu", name="fc1"),
        keras.layers.Dense(32, activation="relu", name="fc2"),
        keras.layers.Dense(10, name="head"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
model.fit(inputs, targets, batch_size=BATCH, epochs=EPOCHS, verbose=2)
