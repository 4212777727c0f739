"""Friedman-like regression with scikit-learn's MLPRegressor."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    rng = np.random.default_rng(77)
    x = rng.uniform(size=(1100, 8))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
         + 0.5 * rng.normal(size=1100))
    x = (x - 0.5) / 0.2887
    y = (y - 14.4) / 4.9
    return x.astype(np.float32), y.astype(np.float32)


x, y = make_data()
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]

reg = MLPRegressor(
    loss="squared_error", hidden_layer_sizes=(40, 20), activation="tanh", solver="adam", alpha=0.05,
    batch_size=60, learning_rate_init=4e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8, max_iter=30,
    shuffle=True, tol=0.0, n_iter_no_change=10_000, early_stopping=False, random_state=6,
)
reg.fit(x_train, y_train)
for i, l in enumerate(reg.loss_curve_, 1):
    print(f"epoch {i} loss {l:.5f}")
print(f"test mse {np.mean((reg.predict(x_test) - y_test) ** 2):.5f}")
