"""Handwritten digits with scikit-learn's multi-layer perceptron."""
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

digits = load_digits()
order = np.random.RandomState(7).permutation(len(digits.target))
X = (digits.data[order] / 16.0).astype(np.float32)
y = digits.target[order]
X_train, y_train, X_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]

clf = MLPClassifier(
    hidden_layer_sizes=(48,),
    activation="relu",
    solver="adam",
    alpha=0.05,
    batch_size=60,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    shuffle=True,
    max_iter=10,
    tol=0.0,
    n_iter_no_change=10_000,
    early_stopping=False,
    random_state=3,
)

# ---- training
clf.fit(X_train, y_train)
for epoch, loss in enumerate(clf.loss_curve_, 1):
    print(f"epoch {epoch:2d}  train loss {loss:.4f}")

proba = clf.predict_proba(X_test)
print(f"test log loss {log_loss(y_test, proba):.4f}  accuracy {clf.score(X_test, y_test):.4f}")
