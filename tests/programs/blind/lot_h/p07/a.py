import warnings

import numpy as np
from sklearn.neural_network import MLPRegressor

BATCH = 50
EPOCHS = 20
LR = 0.02


def make_data():
    rng = np.random.default_rng(123)
    x = rng.uniform(size=(1250, 6))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = y + 0.5 * rng.normal(size=1250)
    x = (x - x[:1000].mean(0)) / x[:1000].std(0)
    y = y / 10.0
    x, y = x.astype("float32"), y.astype("float32")
    return x[:1000], y[:1000], x[1000:], y[1000:]


def main():
    xtr, ytr, xte, yte = make_data()
    reg = MLPRegressor(
        hidden_layer_sizes=(32, 16),
        activation="relu",
        solver="sgd",
        alpha=0.0,
        batch_size=BATCH,
        learning_rate="constant",
        learning_rate_init=LR,
        momentum=0.9,
        nesterovs_momentum=True,
        max_iter=EPOCHS,
        shuffle=True,
        tol=0.0,
        n_iter_no_change=100000,
        early_stopping=False,
        random_state=8,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reg.fit(xtr, ytr)
    print("train mse %.4f" % np.mean((reg.predict(xtr) - ytr) ** 2))
    print("test mse %.4f" % np.mean((reg.predict(xte) - yte) ** 2))


if __name__ == "__main__":
    main()
