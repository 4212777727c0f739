import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits


def load():
    d = load_digits()
    order = np.random.default_rng(21).permutation(len(d.target))
    x = (d.images[order] / 16.0).astype("float32")[..., None]
    y = d.target[order].astype("int32")
    return x[:1300], y[:1300], x[1300:], y[1300:]


def build():
    l2 = 5e-4
    inp = keras.Input((8, 8, 1))
    h = layers.Conv2D(12, 3, padding="same", use_bias=False, kernel_regularizer=regularizers.L2(l2))(inp)
    h = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(h)
    h = layers.ReLU()(h)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Conv2D(24, 3, padding="same", activation="relu", kernel_regularizer=regularizers.L2(l2))(h)
    h = layers.GlobalAveragePooling2D()(h)
    h = layers.Dropout(0.2)(h)
    out = layers.Dense(10)(h)
    return keras.Model(inp, out)


def main():
    keras.utils.set_random_seed(4)
    x, y, xt, yt = load()
    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=3e-3, epsilon=1e-7),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(x, y, batch_size=64, epochs=10, verbose=0)
    ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        out = model.predict(xs, batch_size=500, verbose=0)
        print("%s ce %.4f acc %.4f" % (name, float(ce(ys, out)), float((out.argmax(1) == ys).mean())))


if __name__ == "__main__":
    main()
