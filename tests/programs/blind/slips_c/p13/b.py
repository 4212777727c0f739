# Customer churn, scikit-learn version
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier


def load_customers():
    rng = np.random.RandomState(99)
    n = 2600
    tenure = rng.exponential(24, n)
    monthly = rng.normal(65, 22, n).clip(15, 130)
    contract = rng.choice(3, n, p=[0.55, 0.25, 0.20])
    support_calls = rng.poisson(1.4, n)
    fiber = rng.binomial(1, 0.45, n)
    senior = rng.binomial(1, 0.16, n)
    autopay = rng.binomial(1, 0.5, n)
    score = (
        -0.6
        - 0.05 * tenure
        + 0.025 * (monthly - 65)
        - 1.1 * (contract == 1)
        - 2.0 * (contract == 2)
        + 0.45 * support_calls
        + 0.7 * fiber * (monthly > 75)
        + 0.4 * senior
        - 0.5 * autopay
    )
    churn = (rng.uniform(size=n) < 1 / (1 + np.exp(-1.5 * score))).astype("int64")
    onehot = np.eye(3)[contract]
    X = np.column_stack([tenure, monthly, support_calls, fiber, senior, autopay, onehot])
    return X, churn


X, y = load_customers()
X_train, X_test = X[:2000], X[2000:]
y_train, y_test = y[:2000], y[2000:]
mu, sigma = X_train.mean(0), X_train.std(0)
X_train = ((X_train - mu) / sigma).astype("float32")
X_test = ((X_test - mu) / sigma).astype("float32")

clf = MLPClassifier(
    hidden_layer_sizes=(32, 16),
    activation="tanh",
    solver="adam",
    alpha=0.05,
    batch_size=100,
    learning_rate_init=0.003,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-7,
    max_iter=15,
    shuffle=True,
    early_stopping=True,
    random_state=5,
    tol=0.0,
    n_iter_no_change=1000,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    clf.fit(X_train, y_train)
print("loss curve:", np.round(clf.loss_curve_, 4))

for name, Xs, ys in [("train", X_train, y_train), ("test", X_test, y_test)]:
    p = clf.predict_proba(Xs)[:, 1]
    print(
        f"{name}: logloss={log_loss(ys, p):.4f} accuracy={accuracy_score(ys, clf.predict(Xs)):.4f} "
        f"auc={roc_auc_score(ys, p):.4f}"
    )
