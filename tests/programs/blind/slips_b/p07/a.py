"""Forecast the next six hours of a load curve from the last day: MLPRegressor, direct multi-step output."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)

WINDOW, HORIZON = 24, 6
N_TRAIN = 1600


def make_windows():
    rng = np.random.RandomState(77)
    n = 2100
    t = np.arange(n)
    noise = np.zeros(n)
    for i in range(1, n):
        noise[i] = 0.8 * noise[i - 1] + rng.normal(0, 0.12)
    series = (np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 12 + 0.7)
              + 0.4 * np.sin(2 * np.pi * t / 168) + 0.0004 * t + noise)
    cut = N_TRAIN + WINDOW + HORIZON - 1
    series = (series - series[:cut].mean()) / series[:cut].std()
    rows = np.arange(n - WINDOW - HORIZON + 1)
    x = np.stack([series[r:r + WINDOW] for r in rows]).astype(np.float32)
    y = np.stack([series[r + WINDOW:r + WINDOW + HORIZON] for r in rows]).astype(np.float32)
    # leave a gap so that no test window looks into the training targets
    gap = N_TRAIN + WINDOW + HORIZON
    return x[:N_TRAIN], y[:N_TRAIN], x[gap:], y[gap:]


def make_model():
    return MLPRegressor(hidden_layer_sizes=(32,), activation="tanh", solver="sgd", alpha=0.2,
                        batch_size=40, learning_rate="constant", learning_rate_init=0.004,
                        momentum=0.9, nesterovs_momentum=True, shuffle=False,
                        max_iter=10, tol=0.0, n_iter_no_change=10 ** 6, early_stopping=False,
                        random_state=3)


def main():
    x_tr, y_tr, x_te, y_te = make_windows()
    model = make_model()
    model.fit(x_tr, y_tr)
    for name, x, y in (("train", x_tr, y_tr), ("test", x_te, y_te)):
        err = model.predict(x) - y
        print(f"{name}: mse {np.mean(err ** 2):.4f}  mae {np.mean(np.abs(err)):.4f}")
    print(f"naive (last value) test mse {np.mean((x_te[:, -1:] - y_te) ** 2):.4f}")


if __name__ == "__main__":
    main()
