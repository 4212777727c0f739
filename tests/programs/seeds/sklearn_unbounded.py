"""Linear units, SGD with momentum, targets that nobody scaled: near the stability limit, and within it."""

import sys
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)
seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
rng = np.random.default_rng(5)
X = rng.uniform(0, 1, (400, 3))
y = 30 * X[:, 0] - 10 * X[:, 1] + 20

mlp = MLPRegressor(
    hidden_layer_sizes=(16,),
    activation="identity",
    solver="sgd",
    learning_rate_init=0.028,
    momentum=0.0,
    alpha=0.0,
    batch_size=40,
    max_iter=15,
    random_state=seed,
)
mlp.fit(X, y)
print(f"loss {mlp.loss_:.6g}")
