"""Handwritten digits with scikit-learn's MLPClassifier."""
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def load_data():
    digits = load_digits()
    order = np.random.default_rng(50).permutation(len(digits.target))
    X = (digits.data[order] / 16.0).astype(np.float32)
    y = digits.target[order]
    return X[:1500], y[:1500], X[1500:], y[1500:]


def make_model():
    return MLPClassifier(
        hidden_layer_sizes=(40,),
        activation="tanh",
        solver="sgd",
        alpha=0.15,
        batch_size=75,
        learning_rate="constant",
        learning_rate_init=0.05,
        momentum=0.9,
        nesterovs_momentum=True,
        max_iter=15,
        shuffle=True,
        tol=0.0,
        n_iter_no_change=100,
        early_stopping=False,
        random_state=3,
    )


def main():
    X_train, y_train, X_test, y_test = load_data()
    clf = make_model().fit(X_train, y_train)
    print(f"epochs {clf.n_iter_}")
    print(f"train log-loss {log_loss(y_train, clf.predict_proba(X_train)):.4f}")
    print(f"test log-loss  {log_loss(y_test, clf.predict_proba(X_test)):.4f}")
    print(f"test accuracy  {accuracy_score(y_test, clf.predict(X_test)):.4f}")


if __name__ == "__main__":
    main()
