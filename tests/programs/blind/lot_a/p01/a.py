import numpy as np
import keras
from keras import layers

K = 8


def load():
    rng = np.random.default_rng(101)
    x = rng.normal(size=(1600, 12))
    w1, w2 = rng.normal(size=(12, 16)) / np.sqrt(12), rng.normal(size=(16, K))
    z = np.tanh(1.5 * x @ w1) @ w2 * 0.7
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    x, p = x.astype("float32"), p.astype("float32")
    return x[:1200], p[:1200], x[1200:], p[1200:]


def build():
    return keras.Sequential([
        keras.Input((12,)),
        layers.Dense(40, activation="tanh"),
        layers.Dense(40, activation="tanh"),
        layers.Dense(K, activation="softmax"),
    ])


def main():
    keras.utils.set_random_seed(1)
    x, p, xt, pt = load()
    model = build()
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9), loss=keras.losses.KLDivergence())
    model.fit(x, p, batch_size=40, epochs=12, verbose=0)
    for name, xs, ps in (("train", x, p), ("test", xt, pt)):
        loss = model.evaluate(xs, ps, batch_size=400, verbose=0)
        agree = (model.predict(xs, verbose=0).argmax(1) == ps.argmax(1)).mean()
        print("%s kl %.4f top-1 agreement %.3f" % (name, loss, agree))


if __name__ == "__main__":
    main()
