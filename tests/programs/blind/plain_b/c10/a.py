"""Diabetes progression with scikit-learn's MLPRegressor."""
import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_diabetes(return_X_y=True)
order = np.random.default_rng(12).permutation(len(X))
X, y = X[order], y[order]
X_train, X_test, y_train, y_test = X[:342], X[342:], y[:342], y[342:]
X_mean, X_std = X_train.mean(axis=0), X_train.std(axis=0)
y_mean, y_std = y_train.mean(), y_train.std()
X_train, X_test = (X_train - X_mean) / X_std, (X_test - X_mean) / X_std
y_train, y_test = (y_train - y_mean) / y_std, (y_test - y_mean) / y_std

reg = MLPRegressor(
    hidden_layer_sizes=(24,),
    activation="tanh",
    solver="sgd",
    alpha=0.2,
    batch_size=32,
    learning_rate="constant",
    learning_rate_init=0.01,
    momentum=0.9,
    nesterovs_momentum=True,
    shuffle=True,
    max_iter=30,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=33,
)
reg.fit(X_train, y_train)

for epoch, loss in enumerate(reg.loss_curve_, 1):
    if epoch % 5 == 0:
        print(f"epoch {epoch:3d}  objective {loss:.5f}")

mse_train = np.mean((reg.predict(X_train) - y_train) ** 2)
mse_test = np.mean((reg.predict(X_test) - y_test) ** 2)
print(f"mse train {mse_train:.5f}  test {mse_test:.5f}")
