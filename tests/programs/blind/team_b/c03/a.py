"""Card fraud, rare positives weighted up: scikit-learn."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score, log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)
FRAUD_WEIGHT = 6.0


def transactions():
    rng = np.random.RandomState(11)
    n = 4500
    x = rng.randn(n, 14)
    amount = np.exp(0.8 * rng.randn(n))
    x[:, 0] = np.log1p(amount)
    risk = 1.2 * x[:, 0] + 0.9 * x[:, 1] * (x[:, 2] > 0) + 0.8 * np.abs(x[:, 3]) - 0.7 * x[:, 4] + 0.8 * rng.randn(n)
    y = (risk > np.quantile(risk, 0.92)).astype(int)
    x = (x - x.mean(0)) / x.std(0)
    x = x.astype(np.float32)
    return x[:3000], y[:3000], x[3000:], y[3000:]


# --- training
x, y, xt, yt = transactions()
clf = MLPClassifier(
    hidden_layer_sizes=(24, 12),
    activation="relu",
    solver="adam",
    alpha=0.0,
    batch_size=100,
    learning_rate_init=0.002,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-12,
    max_iter=12,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=4,
    verbose=True,
)
clf.fit(x, y, sample_weight=np.where(y == 1, FRAUD_WEIGHT, 1.0).astype(np.float32))
p = clf.predict_proba(xt)[:, 1]
w = np.where(yt == 1, FRAUD_WEIGHT, 1.0)
print(f"weighted log loss {log_loss(yt, p, sample_weight=w):.4f}  average precision {average_precision_score(yt, p):.4f}")
