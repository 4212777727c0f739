"""House-price style regression on engineered tabular features (scikit-learn)."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.neural_network import MLPRegressor

N_TRAIN, N_TEST = 1280, 320
BATCH = 64
EPOCHS = 20


def make_data():
    rng = np.random.RandomState(11)
    n = N_TRAIN + N_TEST
    area = rng.gamma(6.0, 20.0, n)
    rooms = np.clip(np.round(area / 28 + rng.randn(n)), 1, 9)
    age = rng.uniform(0, 80, n)
    dist = rng.exponential(4.0, n)
    noise = rng.randn(n, 4)
    price = 1.8 * area + 9 * rooms - 0.9 * age + 0.01 * (age - 40) ** 2 \
        - 25 * np.log1p(dist) + 10 * np.sin(dist) + 6 * rng.randn(n)
    X = np.column_stack([area, rooms, age, dist, area / rooms, noise])
    X = (X - X[:N_TRAIN].mean(0)) / X[:N_TRAIN].std(0)
    y = (price - price[:N_TRAIN].mean()) / price[:N_TRAIN].std()
    X, y = X.astype(np.float32), y.astype(np.float32)
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:]


def make_regressor():
    return MLPRegressor(
        loss="squared_error",
        hidden_layer_sizes=(48, 24),
        activation="relu",
        solver="adam",
        alpha=0.05,
        batch_size=BATCH,
        learning_rate_init=2e-3,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-12,
        max_iter=EPOCHS,
        tol=0.0,
        n_iter_no_change=10_000,
        shuffle=True,
        early_stopping=True,
        random_state=3,
    )


def main():
    X_tr, y_tr, X_te, y_te = make_data()
    reg = make_regressor()
    with warnings.catch_warnings():
        # we train for a fixed number of epochs on purpose
        warnings.simplefilter("ignore", ConvergenceWarning)
        reg.fit(X_tr, y_tr)
    for i, l in enumerate(reg.loss_curve_, 1):
        if i % 5 == 0 or i == 1:
            print(f"epoch {i:2d}  objective {l:.4f}")
    pred = reg.predict(X_te)
    print(f"test mse {mean_squared_error(y_te, pred):.4f}  r2 {r2_score(y_te, pred):.4f}")


if __name__ == "__main__":
    main()
