import numpy as np
from sklearn.neural_network import MLPRegressor

EPOCHS, BATCH = 36, 50


def load():
    rng = np.random.default_rng(70)
    x = rng.normal(size=(1100, 8))
    signal = np.tanh(x[:, 0] + x[:, 1]) + 0.6 * np.sin(2 * x[:, 2]) + 0.4 * x[:, 3] * x[:, 4]
    y = 0.06 * signal + rng.normal(scale=0.005, size=1100)
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:800], y[:800], x[800:], y[800:]


def main():
    x, y, xt, yt = load()
    reg = MLPRegressor(
        hidden_layer_sizes=(40,), activation="tanh", solver="sgd", alpha=0.0,
        batch_size=BATCH, learning_rate="constant", learning_rate_init=0.05,
        momentum=0.9, nesterovs_momentum=True, shuffle=True, max_iter=EPOCHS, random_state=2,
    )
    reg.fit(x, y)
    print("train R2 %.4f" % reg.score(x, y))
    print("test R2 %.4f" % reg.score(xt, yt))


if __name__ == "__main__":
    main()
