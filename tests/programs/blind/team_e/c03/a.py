"""Anomaly detection with an autoencoder: scikit-learn's MLPRegressor that predicts its own input."""
import warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPRegressor

N_TRAIN, BATCH, EPOCHS = 1200, 50, 22
HIDDEN = (20, 5, 20)
LR, MOMENTUM, ALPHA = 0.02, 0.9, 1e-3


def make_machines(seed=77):
    """Twelve sensor readings driven by four hidden states; the anomalies break the relations."""
    r = np.random.RandomState(seed)
    mix = r.normal(size=(4, 12))
    bend = r.normal(size=(4, 12))

    def healthy(n):
        s = r.normal(size=(n, 4))
        return np.tanh(s @ mix * 0.6) + 0.4 * np.sin(s @ bend) + 0.05 * r.normal(size=(n, 12))

    train, good, bad = healthy(N_TRAIN), healthy(300), healthy(300)
    for row in bad:
        k = r.choice(12, 3, replace=False)
        row[k] = row[r.permutation(k)] + r.normal(0, 0.7, 3)
    m, s = train.mean(0), train.std(0)
    return [((v - m) / s).astype(np.float32) for v in (train, good, bad)]


train, good, bad = make_machines()

warnings.simplefilter("ignore", ConvergenceWarning)

ae = MLPRegressor(
    loss="squared_error", hidden_layer_sizes=HIDDEN, activation="tanh", solver="sgd",
    learning_rate="constant", learning_rate_init=LR, momentum=MOMENTUM, nesterovs_momentum=True,
    alpha=ALPHA, batch_size=BATCH, max_iter=EPOCHS, shuffle=True, early_stopping=False,
    tol=0.0, n_iter_no_change=100000, random_state=8)
ae.fit(train, train)
for k in range(0, EPOCHS, 3):
    print("epoch", k + 1, "loss", round(ae.loss_curve_[k], 4))


def score(x):
    return ((ae.predict(x) - x) ** 2).mean(axis=1)


g, b = score(good), score(bad)
y = np.r_[np.zeros(len(g)), np.ones(len(b))]
print(f"train mse {score(train).mean():.4f}  healthy {g.mean():.4f}  broken {b.mean():.4f}"
      f"  auc {roc_auc_score(y, np.r_[g, b]):.4f}")
