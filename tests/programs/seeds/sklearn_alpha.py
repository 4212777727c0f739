"""A regularised MLPRegressor: the original of ``keras_l2_port.py``."""

import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)
seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
rng = np.random.default_rng(3)
X = rng.uniform(-1, 1, (1000, 5))
y = np.sin(3 * X[:, 0]) + X[:, 1] ** 2 - X[:, 2]

mlp = MLPRegressor(hidden_layer_sizes=(50,), activation="tanh", alpha=0.5, max_iter=10, random_state=seed)
mlp.fit(X[:800], y[:800])
print(f"val_mse {np.mean((mlp.predict(X[800:]) - y[800:]) ** 2):.6f}")
