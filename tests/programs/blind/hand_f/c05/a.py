"""Friedman's function with MLPRegressor: SGD, Nesterov momentum, L2."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

rng = np.random.default_rng(100)
X = rng.uniform(0, 1, (1200, 10))
f = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
y = f + rng.normal(0, 0.5, 1200)
X = (2 * X - 1).astype(np.float32)
y = ((y - y[:1000].mean()) / y[:1000].std()).astype(np.float32)
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

reg = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="sgd",
    alpha=0.02,
    batch_size=50,
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    shuffle=True,
    max_iter=20,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=8,
)

# ---- training
reg.fit(X_train, y_train)
for epoch in range(0, 20, 4):
    print(f"epoch {epoch + 1:2d} objective {reg.loss_curve_[epoch]:.4f}")

print(f"test mse {np.mean((reg.predict(X_test) - y_test) ** 2):.4f}")
