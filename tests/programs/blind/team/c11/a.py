"""Card fraud with weighted rare cases: scikit-learn."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier


N_FEAT = 16
FRAUD_WEIGHT, ALPHA = 8.0, 0.05
BATCH, EPOCHS = 100, 16
LR, MOMENTUM = 0.05, 0.9


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(4321)
    w = truth.randn(N_FEAT) * 0.5
    x = rng.randn(n, N_FEAT)
    z = -4.0 + x @ w + 1.2 * x[:, 0] * x[:, 1] + 0.8 * np.abs(x[:, 2])
    y = (rng.rand(n) < 1 / (1 + np.exp(-z))).astype("int64")
    return x.astype("float32"), y


def auc(y, s):
    r = np.empty(len(s))
    r[np.argsort(s)] = np.arange(1, len(s) + 1)
    p = y > 0.5
    return (r[p].sum() - p.sum() * (p.sum() + 1) / 2) / (p.sum() * (~p).sum())


def report(y, p):
    p = np.clip(p.astype("float64"), 1e-7, 1 - 1e-7)
    ll = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    w = np.where(y == 1, FRAUD_WEIGHT, 1.0)
    flagged = p > 0.5
    print(f"test weighted logloss {(w * ll).sum() / w.sum():.4f}  auc {auc(y, p):.4f}"
          f"  recall {flagged[y == 1].mean():.4f}  precision {y[flagged].mean():.4f}")


x_tr, y_tr = make_data(3000, 90)
x_te, y_te = make_data(2000, 91)
w_tr = np.where(y_tr == 1, FRAUD_WEIGHT, 1.0).astype("float32")

warnings.simplefilter("ignore", ConvergenceWarning)

clf = MLPClassifier(
    hidden_layer_sizes=(24, 12),
    activation="relu",
    solver="sgd",
    alpha=ALPHA,
    batch_size=BATCH,
    learning_rate="constant",
    learning_rate_init=LR,
    momentum=MOMENTUM,
    nesterovs_momentum=False,
    max_iter=EPOCHS,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=0,
)

# training
clf.fit(x_tr, y_tr, sample_weight=w_tr)
for epoch, l in enumerate(clf.loss_curve_):
    print(f"epoch {epoch + 1}: loss {l:.4f}")

report(y_te, clf.predict_proba(x_te)[:, 1])
