import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits


def load():
    d = load_digits()
    order = np.random.default_rng(44).permutation(len(d.target))
    x = d.images[order].astype("float32")
    y = d.target[order].astype("int64")
    return x[:1280], y[:1280], x[1280:], y[1280:]


def build():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", use_bias=False),
        layers.BatchNormalization(epsilon=1e-5),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", use_bias=False),
        layers.BatchNormalization(epsilon=1e-5),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10),
    ])


def main():
    keras.utils.set_random_seed(6)
    x, y, xt, yt = load()
    x, xt = x[..., None], xt[..., None]
    model = build()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, y, batch_size=64, epochs=6, verbose=0)
    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        print("%s loss %.4f acc %.4f" % (name, *model.evaluate(xs, ys, batch_size=640, verbose=0)))


if __name__ == "__main__":
    main()
