"""Embedding, LSTM, recurrent dropout, masked padding."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, sequences

seed, _ = arguments()
keras.utils.set_random_seed(seed)
x, y = sequences(samples=768, length=16, seed=seed)
x[:, 12:] = 0
model = keras.Sequential(
    [
        keras.Input((16,)),
        keras.layers.Embedding(60, 16, mask_zero=True),
        keras.layers.LSTM(16, dropout=0.2),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=6, batch_size=32, validation_split=0.2, verbose=0)
print(model.evaluate(x, y, verbose=0))
