import numpy as np
import keras
from keras import layers

MICRO, ACCUM, EPOCHS = 16, 4, 10


def load():
    rng = np.random.default_rng(19)
    x = rng.normal(size=(1680, 10))
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * np.abs(x[:, 3]) + rng.normal(scale=0.3, size=1680)
    y = (y - y.mean()) / y.std()
    x, y = x.astype("float32"), y.astype("float32")[:, None]
    return x[:1280], y[:1280], x[1280:], y[1280:]


def build():
    return keras.Sequential([
        keras.Input((10,)),
        layers.Dense(48, activation="relu"),
        layers.Dense(24, activation="relu"),
        layers.Dense(1),
    ])


def main():
    keras.utils.set_random_seed(62)
    x, y, xt, yt = load()
    model = build()
    opt = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, gradient_accumulation_steps=ACCUM)
    model.compile(optimizer=opt, loss="mse")
    model.fit(x, y, batch_size=MICRO, epochs=EPOCHS, verbose=0)
    print("train mse %.4f" % model.evaluate(x, y, batch_size=1280, verbose=0))
    print("test mse %.4f" % model.evaluate(xt, yt, batch_size=400, verbose=0))


if __name__ == "__main__":
    main()
