import warnings

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.neural_network import MLPRegressor

BATCH, ALPHA = 32, 1.0


def load():
    d = load_diabetes()
    order = np.random.default_rng(14).permutation(len(d.target))
    x, y = d.data[order], d.target[order]
    x = (x - x[:320].mean(0)) / x[:320].std(0)
    y = (y - y[:320].mean()) / y[:320].std()
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:320], y[:320], x[320:], y[320:]


def main():
    x, y, xt, yt = load()
    reg = MLPRegressor(
        hidden_layer_sizes=(32, 16), activation="relu", solver="adam",
        learning_rate_init=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8,
        alpha=ALPHA, batch_size=BATCH, shuffle=True, max_iter=30,
        tol=0.0, n_iter_no_change=10**6, random_state=60,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reg.fit(x, y)
    print("train mse %.4f" % np.mean((reg.predict(x) - y) ** 2))
    print("test mse %.4f" % np.mean((reg.predict(xt) - yt) ** 2))


if __name__ == "__main__":
    main()
