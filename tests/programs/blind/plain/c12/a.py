"""Smooth function of five inputs: MLPRegressor, SGD with Nesterov momentum (scikit-learn, float64)."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    rng = np.random.default_rng(314)
    x = rng.standard_normal((1000, 5))
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.3 * np.abs(x[:, 3]) + 0.1 * rng.standard_normal(1000)
    y = (y - y[:800].mean()) / y[:800].std()
    return x[:800], y[:800], x[800:], y[800:]


def make_model(seed, epochs=25):
    return MLPRegressor(
        loss="squared_error",
        hidden_layer_sizes=(64, 32),
        activation="relu",
        solver="sgd",
        alpha=0.2,
        batch_size=50,
        learning_rate="constant",
        learning_rate_init=0.02,
        momentum=0.9,
        nesterovs_momentum=True,
        max_iter=epochs,
        shuffle=True,
        tol=0.0,
        n_iter_no_change=10**6,
        early_stopping=False,
        random_state=seed,
    )


def main():
    x_train, y_train, x_test, y_test = make_data()
    model = make_model(seed=2).fit(x_train, y_train)
    for epoch in range(4, len(model.loss_curve_), 5):
        print(f"epoch {epoch + 1:2d}  loss {model.loss_curve_[epoch]:.5f}")
    p = model.predict(x_test)
    print(f"test mse {np.mean((p - y_test) ** 2):.5f}")


if __name__ == "__main__":
    main()
