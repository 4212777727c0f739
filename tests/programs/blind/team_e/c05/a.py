"""Fraud detection with weighted classes: scikit-learn's MLPClassifier with sample weights."""
import warnings
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier


def make_payments(n=5000, seed=21):
    """Card payments, a few per cent of them fraud."""
    r = np.random.RandomState(seed)
    amount = np.exp(r.normal(3.2, 1.0, n))
    night = r.uniform(size=n) < 0.2
    abroad = r.uniform(size=n) < 0.15
    age_days = r.gamma(2.0, 200.0, n)
    tries = r.poisson(1.0 + 0.8 * abroad)
    other = r.normal(size=(n, 7))
    z = (-4.3 + 0.9 * np.log(amount) * abroad + 1.3 * night * (tries > 1) - 0.8 * np.log1p(age_days) / 3
         + 0.9 * other[:, 0] * other[:, 1] + 1.1 * other[:, 2] + 0.5 * tries)
    y = (r.uniform(size=n) < 1 / (1 + np.exp(-z))).astype("int64")
    x = np.column_stack([np.log(amount), night, abroad, np.log1p(age_days), tries, other])
    x = (x - x[:4000].mean(0)) / x[:4000].std(0)
    return x.astype("float32"), y


BATCH = 80
EPOCHS = 10
LR = 2e-3
HIDDEN = (32, 16)

X, y = make_payments()
X_tr, y_tr, X_te, y_te = X[:4000], y[:4000], X[4000:], y[4000:]
n_fraud = int(y_tr.sum())
# frauds weigh more: n / (2 n_class), as in "balanced"
w_class = np.array([4000 / (2 * (4000 - n_fraud)), 4000 / (2 * n_fraud)])
w_tr = w_class[y_tr].astype("float32")
w_te = w_class[y_te].astype("float32")

warnings.filterwarnings("ignore", category=ConvergenceWarning)

clf = MLPClassifier(
    hidden_layer_sizes=HIDDEN,
    activation="relu",
    solver="adam",
    alpha=0.0,
    batch_size=BATCH,
    learning_rate_init=LR,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=EPOCHS,
    shuffle=True,
    early_stopping=False,
    tol=0.0,
    n_iter_no_change=10_000,
    random_state=1,
)
clf.fit(X_tr, y_tr, sample_weight=w_tr)
print("fraud share %.3f, epochs %d, steps %d" % (n_fraud / 4000, clf.n_iter_, clf.t_ // BATCH))
print("last epochs' weighted log loss", [round(float(v), 4) for v in clf.loss_curve_[-3:]])

p = clf.predict_proba(X_te)[:, 1]
print("test weighted log loss %.4f  auc %.4f  average precision %.4f" % (
    log_loss(y_te, p, sample_weight=w_te), roc_auc_score(y_te, p), average_precision_score(y_te, p)))
