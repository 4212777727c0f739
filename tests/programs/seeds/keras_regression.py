"""The same regression in Keras: what ``torch_regression.py`` is compared to."""

import sys

import keras
import numpy as np

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(7)
features = rng.uniform(-1, 1, (600, 6)).astype("float32")
values = (features[:, 0] * features[:, 1] + np.sin(3 * features[:, 2]) + 0.5 * features[:, 3]).astype("float32")

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(features[:500], values[:500], batch_size=50, epochs=6, verbose=0)
print(f"val_mse {model.evaluate(features[500:], values[500:], verbose=0):.6f}")
