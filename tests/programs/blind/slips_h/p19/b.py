"""Texture classification: small CNN with BatchNorm, Keras."""
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import keras
from keras import layers

SEED = 17
SIZE = 12
N_CLASS = 4
BATCH = 64
EPOCHS = 10


def make_textures(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    labels = rng.integers(0, N_CLASS, n)
    angle = labels * np.pi / N_CLASS + 0.15 * rng.standard_normal(n)
    freq = rng.uniform(0.8, 1.4, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    arg = np.cos(angle)[:, None, None] * xx + np.sin(angle)[:, None, None] * yy
    img = np.sin(freq[:, None, None] * arg + phase[:, None, None])
    img += 0.9 * rng.standard_normal(img.shape)
    return img.astype("float32"), labels.astype("int64")


def build_model():
    return keras.Sequential([
        keras.Input((SIZE, SIZE, 1)),
        layers.Conv2D(8, 3, padding="same", use_bias=False, kernel_initializer="he_uniform"),
        layers.BatchNormalization(axis=1, momentum=0.9, epsilon=1e-5),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, padding="same", use_bias=False, kernel_initializer="he_uniform"),
        layers.BatchNormalization(axis=1, momentum=0.9, epsilon=1e-5),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        layers.Dense(N_CLASS, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def main():
    keras.utils.set_random_seed(SEED)
    x, y = make_textures(1400, seed=8)
    x = x[..., None]
    x_train, y_train, x_test, y_test = x[:1000], y[:1000], x[1000:], y[1000:]

    model = build_model()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    hist = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0).history
    for epoch, (loss, acc) in enumerate(zip(hist["loss"], hist["accuracy"]), 1):
        print(f"epoch {epoch:2d}  loss {loss:.4f}  accuracy {acc:.4f}")

    loss, acc = model.evaluate(x_test, y_test, batch_size=400, verbose=0)
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
