import numpy as np
import keras
from keras import layers

T, F_IN, H = 14, 3, 24


def load():
    rng = np.random.default_rng(9)
    x = rng.normal(scale=0.5, size=(1000, T, F_IN))
    y = rng.integers(0, 2, size=(1000, 1))
    pos = rng.integers(0, 6, size=1000)
    x[np.arange(1000), pos, 0] += np.where(y[:, 0] == 1, 2.0, -2.0)
    x, y = x.astype("float32"), y.astype("float32")
    return x[:700], y[:700], x[700:], y[700:]


def start_weights(seed):
    """Starting weights of the recurrent layer."""
    rng = np.random.default_rng(seed)
    lim = np.sqrt(6.0 / (F_IN + 3 * H))
    kernel = rng.uniform(-lim, lim, size=(F_IN, 3 * H))
    recurrent = np.linalg.qr(rng.normal(size=(3 * H, H)))[0].T
    bias = np.zeros((2, 3 * H))
    bias[0, :H] = 2.5
    return [w.astype("float32") for w in (kernel, recurrent, bias)]


def build():
    gru = layers.GRU(H, reset_after=True)
    model = keras.Sequential([keras.Input((T, F_IN)), gru, layers.Dense(1)])
    gru.set_weights(start_weights(1234))
    return model


def main():
    keras.utils.set_random_seed(0)
    x, y, xt, yt = load()
    model = build()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    model.fit(x, y, batch_size=50, epochs=15, verbose=0)
    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        acc = ((model.predict(xs, batch_size=350, verbose=0) > 0) == (ys > 0.5)).mean()
        print("%s bce %.4f acc %.4f" % (name, model.evaluate(xs, ys, batch_size=350, verbose=0), acc))


if __name__ == "__main__":
    main()
