"""Diabetes progression with scikit-learn's MLPRegressor (Nesterov SGD, L2)."""
import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_diabetes(return_X_y=True)
perm = np.random.default_rng(17).permutation(len(X))
X, y = X[perm], y[perm]
X = ((X - X[:340].mean(0)) / X[:340].std(0)).astype(np.float32)
y = ((y - y[:340].mean()) / y[:340].std()).astype(np.float32)
X_train, y_train, X_test, y_test = X[:340], y[:340], X[340:], y[340:]

reg = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(16, 8),
    activation="logistic",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.05,
    momentum=0.9,
    nesterovs_momentum=True,
    alpha=0.05,
    batch_size=34,
    max_iter=40,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=100000,
    random_state=3,
)

# ---- training
reg.fit(X_train, y_train)

print("train half mse: %.4f" % (0.5 * np.mean((reg.predict(X_train) - y_train) ** 2)))
print("test half mse:  %.4f" % (0.5 * np.mean((reg.predict(X_test) - y_test) ** 2)))
