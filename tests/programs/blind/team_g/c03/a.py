"""Anomaly detection on machine sensors: an autoencoder from scikit-learn."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_machines(n, seed, faulty=False):
    """Sixteen sensors of a machine, driven by three hidden states; faults break the relations."""
    plant = np.random.RandomState(42)
    A = plant.normal(0, 1, (3, 16))
    B = plant.normal(0, 1, (3, 16))
    rng = np.random.RandomState(seed)
    z = rng.normal(0, 1, (n, 3))
    x = np.tanh(z @ A) + 0.4 * np.sin(z @ B) + rng.normal(0, 0.05, (n, 16))
    if faulty:
        for i in range(n):
            hit = rng.choice(16, 3, replace=False)
            x[i, hit] += rng.normal(0, 0.6, 3)
    return x.astype("float32")


x = make_machines(2000, 1)
normal, fault = make_machines(600, 2), make_machines(600, 3, faulty=True)

ae = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(20, 3, 20),
    activation="tanh",
    solver="sgd",
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    alpha=0.02,
    batch_size=64,
    max_iter=16,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10**6,
    early_stopping=False,
    random_state=3,
)
ae.fit(x, x)
for i, value in enumerate(ae.loss_curve_):
    print(f"epoch {i + 1}: {value:.5f}")


def score(data):
    return ((ae.predict(data) - data) ** 2).mean(axis=1)


s_normal, s_fault = score(normal), score(fault)
labels = np.r_[np.zeros(len(normal)), np.ones(len(fault))]
print(f"reconstruction error, normal {s_normal.mean():.5f}, faulty {s_fault.mean():.5f}")
print(f"auc {roc_auc_score(labels, np.r_[s_normal, s_fault]):.4f}")
