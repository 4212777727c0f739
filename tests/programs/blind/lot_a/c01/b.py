import numpy as np
import keras
from keras import layers

EPOCHS, BATCH, LR = 15, 32, 2e-3


def friedman(n, rng):
    x = rng.uniform(size=(n, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = y + rng.normal(scale=1.0, size=n)
    return x, y


def load():
    rng = np.random.default_rng(7)
    x, y = friedman(1000, rng)
    xt, yt = friedman(400, rng)
    mx, sx, my, sy = x.mean(0), x.std(0), y.mean(), y.std()
    f = lambda v, m, s: ((v - m) / s).astype("float32")
    return f(x, mx, sx), f(y, my, sy)[:, None], f(xt, mx, sx), f(yt, my, sy)[:, None]


def build():
    return keras.Sequential([
        keras.Input((10,)),
        layers.Dense(64, activation="tanh"),
        layers.Dropout(0.1),
        layers.Dense(32, activation="tanh"),
        layers.Dense(1),
    ])


def main():
    keras.utils.set_random_seed(11)
    x, y, xt, yt = load()
    model = build()
    model.compile(optimizer=keras.optimizers.Adam(LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12), loss="mse")
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    print("train mse %.4f" % model.evaluate(x, y, batch_size=1000, verbose=0))
    print("test mse %.4f" % model.evaluate(xt, yt, batch_size=400, verbose=0))


if __name__ == "__main__":
    main()
