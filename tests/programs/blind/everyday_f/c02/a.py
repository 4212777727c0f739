# Churn model, MLPClassifier
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_customers(n=3000, seed=11):
    rng = np.random.default_rng(seed)
    tenure = rng.exponential(24.0, n).clip(0, 72)
    monthly = rng.normal(65.0, 20.0, n).clip(15, 130)
    calls = rng.poisson(1.5, n)
    age = rng.uniform(18, 80, n)
    contract = rng.choice(3, n, p=[0.55, 0.25, 0.20])
    payment = rng.choice(4, n)
    paperless = rng.integers(0, 2, n)

    score = (
        -0.4
        - 0.045 * (tenure - 20)
        + 0.03 * (monthly - 65)
        + 0.55 * (calls - 1.5)
        - 1.3 * (contract == 1)
        - 2.2 * (contract == 2)
        + 0.8 * (payment == 0)
        + 0.9 * np.sin(age / 8.0) * (paperless == 1)
    )
    churn = (rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-score))).astype(np.int64)

    numeric = np.stack([tenure, monthly, calls, age], axis=1)
    numeric = (numeric - numeric[:2400].mean(axis=0)) / numeric[:2400].std(axis=0)
    X = np.concatenate(
        [numeric, np.eye(3)[contract], np.eye(4)[payment], paperless[:, None]], axis=1
    ).astype(np.float32)
    return X[:2400], churn[:2400], X[2400:], churn[2400:]


X_train, y_train, X_test, y_test = make_customers()

clf = MLPClassifier(
    hidden_layer_sizes=(48, 24),
    activation="relu",
    solver="adam",
    alpha=0.05,
    batch_size=60,
    learning_rate_init=0.002,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=12,
    tol=0.0,
    n_iter_no_change=1000,  # always run all the epochs
    shuffle=True,
    early_stopping=False,
    random_state=5,
)
clf.fit(X_train, y_train)

for split, X, y in (("train", X_train, y_train), ("test", X_test, y_test)):
    prob = clf.predict_proba(X)[:, 1]
    print(
        f"{split:5s} log loss {log_loss(y, prob):.4f}"
        f"  accuracy {accuracy_score(y, prob > 0.5):.4f}"
        f"  auc {roc_auc_score(y, prob):.4f}"
    )
