"""Digits, one tanh layer, Adam: scikit-learn's MLPClassifier (float64)."""
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(7).permutation(len(y))
    x, y = x[order] / 16.0, y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def make_model(seed, epochs=20):
    return MLPClassifier(
        hidden_layer_sizes=(40,), activation="tanh", solver="adam", alpha=0.5, batch_size=128,
        learning_rate_init=5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12, max_iter=epochs,
        shuffle=True, tol=0.0, n_iter_no_change=10**6, early_stopping=False, random_state=seed)


def main():
    x_train, y_train, x_test, y_test = make_data()
    model = make_model(seed=210).fit(x_train, y_train)
    for epoch in range(3, len(model.loss_curve_), 4):
        print(f"epoch {epoch + 1:2d}  loss {model.loss_curve_[epoch]:.5f}")
    print(f"test log loss {log_loss(y_test, model.predict_proba(x_test)):.5f}  "
          f"test accuracy {model.score(x_test, y_test):.4f}")


if __name__ == "__main__":
    main()
