"""``fit()`` with batch normalisation, dropout and a penalty, on rows that come sorted by their target."""

import sys

import keras
import numpy as np
from keras import layers

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(11)
x = rng.normal(size=(530, 8)).astype("float32")
y = (x[:, 0] - 0.5 * x[:, 1] * x[:, 2] + 0.1 * rng.normal(size=530)).astype("float32")
order = np.argsort(y)
x, y = x[order], y[order, None]

model = keras.Sequential(
    [
        keras.Input((8,)),
        layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-2)),
        layers.BatchNormalization(),
        layers.Dropout(0.3),
        layers.Dense(1),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=keras.losses.MeanSquaredError())
model.fit(x, y, batch_size=50, epochs=4, verbose=0)
print(f"mse {float(np.mean((model.predict(x, verbose=0) - y) ** 2)):.6f}")
