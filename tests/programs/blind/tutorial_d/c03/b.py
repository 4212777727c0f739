"""Forecasting a seasonal series with scikit-learn's MLPRegressor on sliding windows."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_absolute_error, mean_squared_error
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

WINDOW = 24


def make_series(length=1264, seed=9):
    rng = np.random.default_rng(seed)
    t = np.arange(length)
    season = np.sin(2 * np.pi * t / 12) + 0.6 * np.sin(2 * np.pi * t / 31 + 0.4)
    noise = np.zeros(length)
    for k in range(1, length):
        noise[k] = 0.7 * noise[k - 1] + 0.15 * rng.normal()
    s = season + noise + 0.3 * np.sign(season)
    return (s - s.mean()) / s.std()


series = make_series().astype("float32")
X = np.stack([series[i : i + WINDOW] for i in range(len(series) - WINDOW)])
y = series[WINDOW:]
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

mlp = MLPRegressor(
    hidden_layer_sizes=(32, 12),
    activation="tanh",
    solver="sgd",
    alpha=0.02,
    batch_size=40,
    learning_rate="constant",
    learning_rate_init=0.01,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=20,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=8,
)
mlp.fit(X_train, y_train)
print("objective by epoch:", np.round(mlp.loss_curve_, 4).tolist())
p = mlp.predict(X_test)
print(f"test mse {mean_squared_error(y_test, p):.4f}  mae {mean_absolute_error(y_test, p):.4f}")
