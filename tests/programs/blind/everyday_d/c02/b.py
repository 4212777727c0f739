"""Customer churn classifier, scikit-learn."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neural_network import MLPClassifier

N_TRAIN, N_TEST = 2000, 500


def make_data():
    rng = np.random.default_rng(2024)
    n = N_TRAIN + N_TEST
    tenure = rng.integers(1, 72, n).astype(float)
    charges = rng.normal(65, 25, n)
    calls = rng.poisson(1.5, n).astype(float)
    contract = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    payment = rng.integers(0, 4, n)
    score = -0.05 * (tenure - 30) + 0.02 * (charges - 65) + 0.6 * (calls - 1.5) \
        + np.array([0.9, -0.6, -1.8])[contract] + np.array([0.5, 0.0, -0.3, 0.0])[payment] \
        + 0.03 * (charges - 65) * (contract == 0)
    y = (score + rng.logistic(0, 0.6, n) > 0).astype(np.int64)
    num = np.column_stack([tenure, charges, calls])
    num = (num - num[:N_TRAIN].mean(0)) / num[:N_TRAIN].std(0)
    X = np.hstack([num, np.eye(3)[contract], np.eye(4)[payment]]).astype("float32")
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:]


def make_classifier():
    return MLPClassifier(
        hidden_layer_sizes=(32, 16),
        activation="tanh",
        solver="sgd",
        alpha=0.1,
        batch_size=50,
        learning_rate="constant",
        learning_rate_init=0.02,
        momentum=0.9,
        nesterovs_momentum=True,
        max_iter=12,
        tol=0.0,
        n_iter_no_change=1000,
        shuffle=True,
        random_state=8,
        verbose=True,
    )


def main():
    X_tr, y_tr, X_te, y_te = make_data()
    clf = make_classifier()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)   # fixed number of epochs
        clf.fit(X_tr, y_tr)
    proba = clf.predict_proba(X_te)
    print(f"test log loss {log_loss(y_te, proba):.4f}  "
          f"accuracy {accuracy_score(y_te, proba.argmax(1)):.4f}")


if __name__ == "__main__":
    main()
