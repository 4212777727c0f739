"""The port of ``sklearn_unbounded.py`` to Keras: equal numbers in, NaN out."""

import sys

import keras
import numpy as np

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(5)
X = rng.uniform(0, 1, (400, 3))
y = 30 * X[:, 0] - 10 * X[:, 1] + 20

model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(16), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.028, momentum=0.0), loss="mse")
history = model.fit(X, y, batch_size=40, epochs=15, verbose=0)
print(f"loss {history.history['loss'][-1]:.6g}")
