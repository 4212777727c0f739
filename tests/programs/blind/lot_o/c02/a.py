"""Diabetes data, scikit-learn."""
import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_diabetes(return_X_y=True)
X = (X / X.std(0)).astype("float32")
y = ((y - y.mean()) / y.std()).astype("float32")
perm = np.random.default_rng(19).permutation(len(X))
X, y = X[perm], y[perm]

reg = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(24, 12),
    activation="tanh",
    solver="sgd",
    alpha=0.5,
    batch_size=40,
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=40,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10**9,
    random_state=123,
)
reg.fit(X[:342], y[:342])
print("loss curve", [round(float(v), 4) for v in reg.loss_curve_[::5]])
residual = reg.predict(X[342:]) - y[342:]
print("test rmse", round(float(np.sqrt(np.mean(residual ** 2))), 4))
