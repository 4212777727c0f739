"""House-price style regression with scikit-learn."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.neural_network import MLPRegressor

warnings.filterwarnings("ignore", category=ConvergenceWarning)


def make_data():
    rng = np.random.default_rng(101)
    X = rng.normal(size=(1250, 10))
    y = (
        2.0 * np.sin(X[:, 0] * 1.5)
        + X[:, 1] * X[:, 2]
        + 0.8 * X[:, 3] ** 2
        - 1.2 * X[:, 4]
        + 0.3 * rng.normal(size=1250)
    )
    X_train, X_test = X[:1000], X[1000:]
    y_train, y_test = y[:1000], y[1000:]
    mean, std = X_train.mean(0), X_train.std(0)
    y_mean, y_std = y_train.mean(), y_train.std()
    X_train, X_test = (X_train - mean) / std, (X_test - mean) / std
    y_train, y_test = (y_train - y_mean) / y_std, (y_test - y_mean) / y_std
    return [v.astype(np.float32) for v in (X_train, y_train, X_test, y_test)]


def make_model():
    return MLPRegressor(
        hidden_layer_sizes=(32, 16),
        activation="relu",
        solver="adam",
        alpha=0.05,
        batch_size=50,
        learning_rate_init=3e-3,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        max_iter=20,
        tol=0.0,
        n_iter_no_change=1000,
        shuffle=True,
        random_state=7,
    )


if __name__ == "__main__":
    X_train, y_train, X_test, y_test = make_data()
    reg = make_model()
    reg.fit(X_train, y_train)
    pred = reg.predict(X_test)
    print(f"train mse {mean_squared_error(y_train, reg.predict(X_train)):.4f}")
    print(f"test mse  {mean_squared_error(y_test, pred):.4f}")
    print(f"test r2   {r2_score(y_test, pred):.4f}")
