"""Handwritten digits with scikit-learn's multi-layer perceptron."""
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)

digits = load_digits()
X = (digits.data / 16.0).astype(np.float32)
y = digits.target
perm = np.random.default_rng(0).permutation(len(X))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]

BATCH, EPOCHS, LR0, ALPHA = 56, 20, 0.08, 0.05

clf = MLPClassifier(
    hidden_layer_sizes=(48, 24),
    activation="tanh",
    solver="sgd",
    learning_rate="invscaling",
    learning_rate_init=LR0,
    power_t=0.5,
    momentum=0.9,
    nesterovs_momentum=True,
    alpha=ALPHA,
    batch_size=BATCH,
    max_iter=EPOCHS,
    shuffle=True,
    early_stopping=False,
    tol=0.0,
    n_iter_no_change=10_000,
    random_state=4,
)
clf.fit(X_train, y_train)

print("weights:", sum(w.size for w in clf.coefs_) + sum(b.size for b in clf.intercepts_))
print("train log loss: %.4f" % log_loss(y_train, clf.predict_proba(X_train)))
print("test log loss:  %.4f" % log_loss(y_test, clf.predict_proba(X_test)))
print("test accuracy:  %.4f" % np.mean(clf.predict(X_test) == y_test))
