"""Breast cancer diagnosis with scikit-learn's MLPClassifier (Adam)."""
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def load():
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.RandomState(8).permutation(len(X))
    X, y = X[order], y[order]
    X_tr, X_te, y_tr, y_te = X[:430], X[430:], y[:430], y[430:]
    mu, sd = X_tr.mean(axis=0), X_tr.std(axis=0)
    return (X_tr - mu) / sd, y_tr, (X_te - mu) / sd, y_te


def main():
    X_tr, y_tr, X_te, y_te = load()
    clf = MLPClassifier(
        hidden_layer_sizes=(20, 10), activation="relu", solver="adam",
        alpha=1.0, batch_size=40, learning_rate_init=0.002,
        beta_1=0.9, beta_2=0.999, epsilon=1e-8,
        max_iter=30, shuffle=True, tol=0.0, n_iter_no_change=10 ** 6,
        early_stopping=False, random_state=4,
    )
    clf.fit(X_tr, y_tr)
    for e in range(4, 30, 5):
        print(f"epoch {e + 1:2d}  objective {clf.loss_curve_[e]:.5f}")
    for name, X, y in (("train", X_tr, y_tr), ("test", X_te, y_te)):
        print(f"{name}: log loss {log_loss(y, clf.predict_proba(X)):.5f}, accuracy {clf.score(X, y):.4f}")


if __name__ == "__main__":
    main()
