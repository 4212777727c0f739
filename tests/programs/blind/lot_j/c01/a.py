import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)

X, y = load_digits(return_X_y=True)
idx = np.random.default_rng(77).permutation(len(X))
X, y = (X[idx] / 16.0).astype(np.float32), y[idx]
X_train, y_train, X_test, y_test = X[:1250], y[:1250], X[1250:], y[1250:]

clf = MLPClassifier(
    hidden_layer_sizes=(50, 25),
    activation="relu",
    solver="adam",
    alpha=0.05,
    batch_size=50,
    learning_rate_init=2e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    shuffle=True,
    max_iter=14,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=42,
)
clf.fit(X_train, y_train)
print("training loss per epoch:", np.round(clf.loss_curve_, 4))
print("test log loss:", round(log_loss(y_test, clf.predict_proba(X_test)), 4))
print("test accuracy:", round(clf.score(X_test, y_test), 4))
