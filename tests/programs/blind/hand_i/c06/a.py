"""Rare-event detection, Keras fit: class weights and gradient accumulation from the library."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

MICRO, ACCUM, EPOCHS = 16, 4, 11
WEIGHTS = {0: 0.6, 1: 3.0}


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.normal(size=(n, 8))
    score = x[:, 0] * x[:, 1] + 0.8 * x[:, 2] - 0.5 * x[:, 3] ** 2
    y = (score + 0.2 * rng.normal(size=n) > 0.7).astype("float32")
    return x.astype("float32"), y[:, None]


def build():
    def dense(units, activation=None):
        return keras.layers.Dense(units, activation=activation,
                                  kernel_initializer="he_uniform", bias_initializer="zeros")
    return keras.Sequential([
        keras.layers.Input((8,)),
        dense(32, "tanh"),
        dense(16, "elu"),
        dense(1),
    ])


def report(name, model, x, y):
    z = model.predict(x, batch_size=len(x), verbose=0)
    w = np.where(y > 0.5, WEIGHTS[1], WEIGHTS[0])
    bce = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    recall = ((z > 0) & (y > 0.5)).sum() / (y > 0.5).sum()
    print(f"{name}: weighted loss {(w * bce).mean():.4f}  recall {recall:.4f}"
          f"  accuracy {((z > 0) == (y > 0.5)).mean():.4f}")


def main():
    keras.utils.set_random_seed(70)
    x, y = make_data(832, 5)
    xt, yt = make_data(800, 6)
    print("positive share", float(y.mean()))
    model = build()
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=0.006, rho=0.9, momentum=0.0, epsilon=1e-7,
                                           centered=False, gradient_accumulation_steps=ACCUM),
        loss=keras.losses.BinaryCrossentropy(from_logits=True))
    history = model.fit(x, y, batch_size=MICRO, epochs=EPOCHS, shuffle=True,
                        class_weight=WEIGHTS, verbose=0)
    for e, v in enumerate(history.history["loss"]):
        print(f"epoch {e + 1:2d}: {v:.4f}")
    report("train", model, x, y)
    report("test", model, xt, yt)


if __name__ == "__main__":
    main()
