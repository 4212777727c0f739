"""Gated running sum: regress a decayed sum of the samples whose gate is open.

Keras LSTM, model.fit.
"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

SEQ, UNITS, BATCH, EPOCHS = 14, 20, 64, 16


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    value = rng.uniform(-1, 1, size=(n, SEQ))
    gate = (rng.uniform(size=(n, SEQ)) < 0.4).astype("float64")
    decay = 0.85 ** np.arange(SEQ - 1, -1, -1)
    target = (value * gate * decay).sum(axis=1, keepdims=True)
    x = np.stack([value, gate], axis=-1)
    return x.astype("float32"), target.astype("float32")


def build():
    return keras.Sequential([
        keras.layers.Input((SEQ, 2)),
        keras.layers.LSTM(
            UNITS,
            activation="tanh",
            recurrent_activation="sigmoid",
            kernel_initializer="glorot_uniform",
            recurrent_initializer="orthogonal",
            bias_initializer="zeros",
            unit_forget_bias=True,
        ),
        keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def main():
    keras.utils.set_random_seed(11)
    x, y = make_data(1200, 0)
    xt, yt = make_data(400, 1)
    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
        loss=keras.losses.MeanSquaredError(),
    )
    print("weights:", model.count_params())
    hist = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    for epoch, value in enumerate(hist.history["loss"]):
        print(f"epoch {epoch + 1:2d}  loss {value:.5f}")
    print(f"test mse {model.evaluate(xt, yt, batch_size=400, verbose=0):.5f}")


if __name__ == "__main__":
    main()
