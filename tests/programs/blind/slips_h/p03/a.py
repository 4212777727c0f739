"""Handwritten digits, scikit-learn MLPClassifier."""
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

X, y = load_digits(return_X_y=True)
X = X / 16.0
order = np.random.default_rng(6).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]

clf = MLPClassifier(
    hidden_layer_sizes=(40, 24),
    activation="relu",
    solver="adam",
    alpha=0.05,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    shuffle=True,
    max_iter=12,
    tol=0.0,
    n_iter_no_change=1000,
    random_state=0,
)
clf.fit(X_train, y_train)

for i, loss in enumerate(clf.loss_curve_):
    print(f"epoch {i + 1:2d}  loss {loss:.5f}")
print(f"test log-loss {log_loss(y_test, clf.predict_proba(X_test)):.5f}")
print(f"test accuracy {clf.score(X_test, y_test):.4f}")
