import numpy as np
import keras
from keras import layers


def load():
    rng = np.random.default_rng(88)
    x = rng.normal(size=(1500, 5))
    r = np.sqrt((x[:, :4] ** 2).sum(1))
    y = np.digitize(r + 0.3 * x[:, 4], [1.3, 1.8, 2.4])
    return x[:1000].astype("float32"), y[:1000].astype("int64"), x[1000:].astype("float32"), y[1000:].astype("int64")


def build():
    model = keras.Sequential([keras.Input((5,))])
    for _ in range(4):
        model.add(layers.Dense(64, activation="relu", kernel_initializer="he_normal"))
    model.add(layers.Dense(4, kernel_initializer="he_normal"))
    return model


def main():
    keras.utils.set_random_seed(51)
    x, y, xt, yt = load()
    model = build()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, y, batch_size=50, epochs=15, verbose=0)
    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        print("%s ce %.4f acc %.4f" % (name, *model.evaluate(xs, ys, batch_size=500, verbose=0)))


if __name__ == "__main__":
    main()
