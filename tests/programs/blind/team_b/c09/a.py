"""Anomaly detection: autoencoder with MLPRegressor, score = reconstruction error."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore", ConvergenceWarning)


def sensors():
    """Normal plant readings lie near a curved 4-d surface in 20 dimensions; faults do not."""
    rng = np.random.RandomState(2718)
    mix, bend = rng.randn(4, 20), rng.randn(4, 20)

    def normal(n):
        z = rng.randn(n, 4)
        return z @ mix + 0.5 * np.tanh(2 * z) @ bend + 0.2 * rng.randn(n, 20)

    train, good = normal(2000), normal(400)
    bad = normal(100)
    for row in bad:
        row[rng.choice(20, 4, replace=False)] += 2.5 * rng.randn(4)
    mean, std = train.mean(0), train.std(0)
    test = np.concatenate([good, bad])
    label = np.r_[np.zeros(400), np.ones(100)]
    return ((train - mean) / std).astype(np.float32), ((test - mean) / std).astype(np.float32), label


# --- training
train, test, label = sensors()
ae = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(16, 5, 16),
    activation="tanh",
    solver="sgd",
    alpha=0.02,
    batch_size=50,
    learning_rate="constant",
    learning_rate_init=0.005,
    momentum=0.9,
    nesterovs_momentum=False,
    max_iter=12,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=8,
)
ae.fit(train, train)
error = ((ae.predict(test) - test) ** 2).mean(axis=1)
print(f"epochs {ae.n_iter_}  mse on normal rows {error[label == 0].mean():.4f}  auc {roc_auc_score(label, error):.4f}")
