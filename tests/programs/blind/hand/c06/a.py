"""Friedman-type regression with scikit-learn's MLPRegressor (Adam, L2 penalty)."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def friedman(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(n, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = (y + rng.normal(size=n) - 14.4) / 5.0
    return (2 * x - 1).astype(np.float32), y.astype(np.float32)


x_train, y_train = friedman(730, 0)
x_test, y_test = friedman(500, 1)

net = MLPRegressor(
    hidden_layer_sizes=(48, 24),
    activation="relu",
    solver="adam",
    learning_rate_init=4e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    alpha=0.3,
    batch_size=50,
    max_iter=30,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=100_000,
    random_state=3,
)
net.fit(x_train, y_train)

for name, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
    err = net.predict(x) - y
    print(f"{name} mse {np.mean(err ** 2):.4f} r2 {1 - np.mean(err ** 2) / np.var(y):.4f}")
