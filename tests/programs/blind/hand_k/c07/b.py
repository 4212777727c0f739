"""Digits with scikit-learn's MLPClassifier (Adam, logistic units)."""
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(12).permutation(len(x))
    x, y = (x[order] / 8.0 - 1.0).astype(np.float32), y[order]
    return x[:1500], y[:1500], x[1500:], y[1500:]


x_train, y_train, x_test, y_test = make_data()
clf = MLPClassifier(
    hidden_layer_sizes=(40, 24),
    activation="logistic",
    solver="adam",
    alpha=0.1,
    batch_size=100,
    learning_rate_init=4e-3,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    max_iter=30,
    shuffle=True,
    tol=0.0,
    n_iter_no_change=1000,
    early_stopping=False,
    random_state=40,
)
clf.fit(x_train, y_train)
for epoch in range(0, 30, 5):
    print(f"epoch {epoch + 1:2d} loss {clf.loss_curve_[epoch]:.5f}")
train_ce = log_loss(y_train, clf.predict_proba(x_train))
print(f"train cross-entropy {train_ce:.5f} test accuracy {clf.score(x_test, y_test):.4f}")
