import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore", category=ConvergenceWarning)

# customers
rng = np.random.default_rng(77)
n = 1600
tenure = rng.exponential(24, n)
monthly = rng.normal(60, 20, n)
calls = rng.poisson(1.5, n)
contract = rng.integers(0, 3, n)
fiber = rng.integers(0, 2, n)
senior = (rng.random(n) < 0.15).astype(int)
late = rng.poisson(0.7, n)
usage = rng.normal(0, 1, n)
score = (
    0.6 - 0.06 * tenure + 0.025 * (monthly - 60) + 0.7 * calls * (contract == 0)
    - 0.9 * contract + 0.8 * fiber * (monthly > 65) + 0.5 * senior + 0.6 * late - 0.5 * usage**2
)
churn = (rng.random(n) < 1 / (1 + np.exp(-1.5 * score))).astype(int)
columns = [tenure, monthly, calls, contract == 0, contract == 1, contract == 2, fiber, senior, late, usage]
X = np.column_stack(columns).astype(float)

X_train, X_test = X[:1200], X[1200:]
y_train, y_test = churn[:1200], churn[1200:]
scaler = StandardScaler().fit(X_train)
X_train = scaler.transform(X_train).astype(np.float32)
X_test = scaler.transform(X_test).astype(np.float32)

# ---- training
clf = MLPClassifier(
    hidden_layer_sizes=(24, 12),
    activation="relu",
    solver="sgd",
    alpha=0.2,
    batch_size=100,
    learning_rate="constant",
    learning_rate_init=0.02,
    momentum=0.9,
    nesterovs_momentum=True,
    max_iter=25,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=5,
)
clf.fit(X_train, y_train)

print("first/last training loss", round(float(clf.loss_curve_[0]), 4), round(float(clf.loss_curve_[-1]), 4))
proba = clf.predict_proba(X_test)[:, 1]
print("test log loss", round(log_loss(y_test, proba), 4))
print("test accuracy", round(accuracy_score(y_test, proba > 0.5), 4))
print("test AUC", round(roc_auc_score(y_test, proba), 4))
