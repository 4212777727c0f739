"""Fraud detection with weights for the rare class: scikit-learn's multilayer perceptron."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_payments(n, seed):
    """Payments with twenty features, about one in fifteen fraudulent; a weight for every row."""
    rules = np.random.RandomState(12)
    mix = rules.normal(0, 1, (6, 20))
    rng = np.random.RandomState(seed)
    z = rng.normal(0, 1, (n, 6))
    score = 1.6 * z[:, 0] * z[:, 1] + 1.2 * np.maximum(z[:, 2], 0) ** 2 - 0.9 * z[:, 3] - 4.4
    fraud = (rng.uniform(size=n) < 1 / (1 + np.exp(-score))).astype("int64")
    x = z @ mix / 2.0 + rng.normal(0, 0.25, (n, 20))
    weight = np.where(fraud == 1, 6.0, 0.6)
    return x.astype("float32"), fraud, weight.astype("float32")


x, fraud, weight = make_payments(5050, 1)
xt, fraud_t, weight_t = make_payments(4000, 2)

clf = MLPClassifier(
    hidden_layer_sizes=(32, 16),
    activation="relu",
    solver="adam",
    alpha=0.5,
    batch_size=100,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=10,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000000,
    early_stopping=False,
    random_state=4,
)
clf.fit(x, fraud, sample_weight=weight)
for k, v in enumerate(clf.loss_curve_, 1):
    print(f"epoch {k} loss {v:.4f}")

p = clf.predict_proba(xt)[:, 1]
print(f"test weighted log loss {log_loss(fraud_t, p, sample_weight=weight_t):.4f}")
print(f"auc {roc_auc_score(fraud_t, p):.4f}  average precision {average_precision_score(fraud_t, p):.4f}")
