"""One-step-ahead forecast of a noisy seasonal series from a sliding window (scikit-learn)."""
import warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

WINDOW = 24


def make_series(n=1000):
    rng = np.random.default_rng(99)
    t = np.arange(n)
    s = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 7 + 1.0)
    ar = np.zeros(n)
    for i in range(1, n):
        ar[i] = 0.8 * ar[i - 1] + 0.15 * rng.standard_normal()
    s = s + ar
    return ((s - s.mean()) / s.std()).astype("float32")


def windows(series):
    x = np.stack([series[i:i + WINDOW] for i in range(len(series) - WINDOW)])
    y = series[WINDOW:]
    return x[:768], y[:768], x[768:], y[768:]


xtr, ytr, xte, yte = windows(make_series())

model = MLPRegressor(
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="adam",
    learning_rate_init=0.003,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    alpha=0.05,
    batch_size=64,
    shuffle=True,
    max_iter=30,
    tol=0.0,
    n_iter_no_change=100000,
    early_stopping=False,
    random_state=1,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(xtr, ytr)

print("first and last objective:", round(model.loss_curve_[0], 4), round(model.loss_curve_[-1], 4))
pred = model.predict(xte)
print("test MSE:", float(np.mean((pred - yte) ** 2)))
print("naive (last value) MSE:", float(np.mean((xte[:, -1] - yte) ** 2)))
