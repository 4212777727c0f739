"""Anomaly detection: a bottleneck autoencoder with scikit-learn's MLPRegressor."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor


DIM = 20


def make_data():
    rng = np.random.RandomState(5)
    mix = rng.randn(4, DIM)

    def normal(n):
        s = rng.randn(n, 4)
        s = np.concatenate([s[:, :2], np.sin(s[:, :1] * s[:, 1:2]), s[:, 3:]], axis=1)
        return s @ mix + 0.2 * rng.randn(n, DIM)

    train, ok = normal(1600), normal(400)
    bad = normal(100)
    for row in bad:                                   # a few sensors stuck or drifting
        k = rng.choice(DIM, 3, replace=False)
        row[k] += rng.choice([-1, 1], 3) * rng.uniform(2, 4, 3)
    mu, sd = train.mean(0), train.std(0)
    test = np.concatenate([ok, bad])
    label = np.r_[np.zeros(len(ok)), np.ones(len(bad))]
    return (((train - mu) / sd).astype("float32"), ((test - mu) / sd).astype("float32"), label)


def auc(y, s):
    r = np.empty(len(s))
    r[np.argsort(s)] = np.arange(1, len(s) + 1)
    p = y > 0.5
    return (r[p].sum() - p.sum() * (p.sum() + 1) / 2) / (p.sum() * (~p).sum())


x_train, x_test, label = make_data()
BATCH, EPOCHS, ALPHA = 80, 25, 0.02

warnings.filterwarnings("ignore", category=ConvergenceWarning)

model = MLPRegressor(
    loss="squared_error",
    hidden_layer_sizes=(16, 4, 16),
    activation="tanh",
    solver="adam",
    alpha=ALPHA,
    batch_size=BATCH,
    learning_rate_init=0.004,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10**6,
    early_stopping=False,
    random_state=11,
)

# training
model.fit(x_train, x_train)

print("optimizer steps", EPOCHS * len(x_train) // BATCH)
err_train = ((model.predict(x_train) - x_train) ** 2).mean()
score = ((model.predict(x_test) - x_test) ** 2).mean(axis=1)
print(f"train mse {err_train:.4f}  normal mse {score[label == 0].mean():.4f}  auc {auc(label, score):.4f}")
