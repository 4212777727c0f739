import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

BATCH, EPOCHS, LR = 64, 14, 3e-3


def load():
    digits = load_digits()
    x = (digits.images / 16.0).astype("float32")[..., None]
    y = digits.target.astype("int32")
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def build():
    inputs = keras.Input((8, 8, 1))
    h = inputs
    for filters, stride in ((12, 1), (24, 2)):
        h = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(h)
        h = layers.BatchNormalization(momentum=0.9)(h)
        h = layers.ReLU()(h)
    h = layers.GlobalAveragePooling2D()(h)
    h = layers.Dropout(0.2)(h)
    return keras.Model(inputs, layers.Dense(10)(h))


def main():
    keras.utils.set_random_seed(21)
    x_train, y_train, x_test, y_test = load()
    net = build()
    net.compile(
        optimizer=keras.optimizers.Adam(LR),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    net.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    loss, acc = net.evaluate(x_test, y_test, verbose=0)
    print(f"test: loss={loss:.4f} accuracy={acc:.4f}")


if __name__ == "__main__":
    main()
