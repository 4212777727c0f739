"""Breast cancer data, two logistic layers: scikit-learn's MLPClassifier (float64)."""
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    x, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(55).permutation(len(y))
    x, y = x[order], y[order]
    x = (x - x[:440].mean(axis=0)) / x[:440].std(axis=0)
    return x[:440], y[:440], x[440:], y[440:]


def make_model(seed, epochs=40):
    return MLPClassifier(
        hidden_layer_sizes=(24, 12),
        activation="logistic",
        solver="sgd",
        alpha=0.05,
        batch_size=64,
        learning_rate="constant",
        learning_rate_init=0.3,
        momentum=0.9,
        nesterovs_momentum=False,
        max_iter=epochs,
        shuffle=True,
        tol=0.0,
        n_iter_no_change=10**6,
        early_stopping=False,
        random_state=seed,
    )


def main():
    x_train, y_train, x_test, y_test = make_data()
    model = make_model(seed=0).fit(x_train, y_train)
    for epoch in range(4, len(model.loss_curve_), 5):
        print(f"epoch {epoch + 1:2d}  loss {model.loss_curve_[epoch]:.5f}")
    print(f"test log loss {log_loss(y_test, model.predict_proba(x_test)):.5f}  "
          f"test accuracy {np.mean(model.predict(x_test) == y_test):.4f}")


if __name__ == "__main__":
    main()
