"""Forecast the next value of a seasonal series from its last 24 values.

scikit-learn's MLPRegressor on sliding windows.
"""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

LAGS = 24


def make_series(n=1800, seed=5):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    season = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 57 + 1.0)
    drift = np.zeros(n)
    for i in range(1, n):
        drift[i] = 0.9 * drift[i - 1] + 0.15 * rng.standard_normal()
    return season * (1 + 0.3 * np.tanh(drift)) + drift


def make_windows():
    s = make_series()
    s = (s - s[:1304].mean()) / s[:1304].std()
    x = np.stack([s[i:i + LAGS] for i in range(len(s) - LAGS)]).astype(np.float32)
    y = s[LAGS:].astype(np.float32)
    return x[:1280], y[:1280], x[1304:], y[1304:]


x_train, y_train, x_test, y_test = make_windows()

model = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="adam",
    alpha=0.05,
    batch_size=64,
    learning_rate_init=0.002,
    beta_1=0.9, beta_2=0.999, epsilon=1e-8,
    max_iter=25,               # epochs
    shuffle=True,
    tol=0.0, n_iter_no_change=10_000,   # never stop before max_iter
    early_stopping=False,
    random_state=1,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(x_train, y_train)

for epoch, loss in enumerate(model.loss_curve_, 1):
    if epoch % 5 == 0:
        print(f"epoch {epoch}: loss {loss:.5f}")
print(f"train mse {np.mean((model.predict(x_train) - y_train) ** 2):.5f}")
print(f"test mse  {np.mean((model.predict(x_test) - y_test) ** 2):.5f}")
print(f"persistence {np.mean((x_test[:, -1] - y_test) ** 2):.5f}")
