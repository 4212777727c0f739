"""Digits: one conv layer, a fixed low-frequency cosine summary of its maps, a linear classifier."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

MAPS, SIDE, FREQS = 12, 8, 3
EPOCHS, BATCH = 12, 64


def cosine_summary():
    """Constant matrix: flattened maps -> FREQS x FREQS cosine coefficients of each map."""
    k = np.arange(FREQS)[:, None]
    pos = np.arange(SIDE)[None, :]
    basis = np.cos(np.pi * k * (2 * pos + 1) / (2 * SIDE)) * np.sqrt(2.0 / SIDE)
    basis[0] /= np.sqrt(2.0)
    m = np.einsum("uh,vw,cd->hwcuvd", basis, basis, np.eye(MAPS))
    return m.reshape(SIDE * SIDE * MAPS, FREQS * FREQS * MAPS).astype(np.float32)


def load():
    d = load_digits()
    x = (d.images / 16.0).astype(np.float32)
    p = np.random.default_rng(17).permutation(len(x))
    return x[p[:1408]], d.target[p[:1408]], x[p[1408:]], d.target[p[1408:]]


def build():
    summary = layers.Dense(FREQS * FREQS * MAPS, use_bias=False, trainable=False, name="summary")
    model = keras.Sequential([
        keras.Input((SIDE, SIDE, 1)),
        layers.Conv2D(MAPS, 3, padding="same", activation="relu",
                      kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        layers.Flatten(),
        summary,
        layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])
    summary.set_weights([cosine_summary()])
    return model


def main():
    keras.utils.set_random_seed(12)
    xtr, ytr, xte, yte = load()
    model = build()
    model.compile(optimizer=keras.optimizers.SGD(0.02, momentum=0.9),
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")])
    log = model.fit(xtr[..., None], ytr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    for i, v in enumerate(log.history["loss"], 1):
        print(f"epoch {i}: {v:.4f}")
    res = model.evaluate(xte[..., None], yte, batch_size=BATCH, verbose=0, return_dict=True)
    print(f"test: loss {res['loss']:.4f}, accuracy {res['acc']:.4f}")


if __name__ == "__main__":
    main()
