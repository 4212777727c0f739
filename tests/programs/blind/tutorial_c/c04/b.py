"""Denoise curves with an autoencoder-shaped MLPRegressor."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor


def make_curves():
    rng = np.random.default_rng(77)
    grid = np.linspace(0, 1, 40)
    n = 1500
    freq = rng.uniform(0.5, 2.0, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    slope = rng.normal(0, 0.5, (n, 1))
    clean = np.sin(2 * np.pi * freq * grid + phase) + slope * (grid - 0.5)
    noisy = clean + 0.4 * rng.standard_normal(clean.shape)
    clean, noisy = clean.astype(np.float32), noisy.astype(np.float32)
    return noisy[:1200], clean[:1200], noisy[1200:], clean[1200:]


noisy, clean, noisy_te, clean_te = make_curves()
warnings.filterwarnings("ignore", category=ConvergenceWarning)
autoencoder = MLPRegressor(
    hidden_layer_sizes=(24, 8, 24), activation="relu", loss="squared_error",
    solver="sgd", learning_rate="constant", learning_rate_init=0.004,
    momentum=0.9, nesterovs_momentum=False,
    alpha=0.3, batch_size=60, max_iter=25, shuffle=True,
    tol=0.0, n_iter_no_change=1000, early_stopping=False, random_state=8)
autoencoder.fit(noisy, clean)
print("loss curve", np.round(autoencoder.loss_curve_[4::5], 5))


def mse(a, b):
    return float(np.mean((a - b) ** 2))


print(f"train mse {mse(autoencoder.predict(noisy), clean):.5f}")
print(f"test mse  {mse(autoencoder.predict(noisy_te), clean_te):.5f}")
print(f"noise mse {mse(noisy_te, clean_te):.5f}")
