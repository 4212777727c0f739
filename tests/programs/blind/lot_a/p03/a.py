import numpy as np
import keras
from keras import layers

CYCLE = 25


def load():
    rng = np.random.default_rng(303)
    x = rng.uniform(-2, 2, size=(1250, 6))
    y = np.sin(2 * x[:, 0]) * x[:, 1] + np.cos(x[:, 2] * x[:, 3]) + 0.3 * x[:, 4] + rng.normal(scale=0.05, size=1250)
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:1000], y[:1000], x[1000:], y[1000:]


def build():
    return keras.Sequential([
        keras.Input((6,)),
        layers.Dense(48, activation="tanh"),
        layers.Dense(24, activation="tanh"),
        layers.Dense(1),
    ])


def main():
    keras.utils.set_random_seed(13)
    x, y, xt, yt = load()
    model = build()
    lr = keras.optimizers.schedules.CosineDecayRestarts(3e-3, first_decay_steps=CYCLE, t_mul=1.0, m_mul=1.0, alpha=0.0)
    opt = keras.optimizers.RMSprop(learning_rate=lr, rho=0.9, momentum=0.9, epsilon=1e-16)
    model.compile(optimizer=opt, loss="mse")
    model.fit(x, y, batch_size=40, epochs=14, verbose=0)
    print("train mse %.5f" % model.evaluate(x, y, batch_size=1000, verbose=0))
    print("test mse %.5f" % model.evaluate(xt, yt, batch_size=250, verbose=0))


if __name__ == "__main__":
    main()
