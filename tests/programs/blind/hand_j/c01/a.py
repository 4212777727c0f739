"""Damped-oscillation forecasting with keras.layers.LSTM."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

T, F, UNITS = 14, 2, 20
BATCH, EPOCHS, LR = 32, 20, 4e-3


def make_data(n, rng):
    freq = rng.uniform(0.3, 1.2, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    damp = rng.uniform(0.0, 0.08, size=(n, 1))
    t = np.arange(T + 2)[None, :]
    s = np.exp(-damp * t) * np.sin(freq * t + phase)
    x = s[:, :T] + 0.03 * rng.normal(size=(n, T))
    dx = np.diff(x, axis=1, prepend=x[:, :1])
    return np.stack([x, dx], axis=-1).astype("float32"), s[:, T + 1:].astype("float32")


def build():
    return keras.Sequential([
        keras.Input((T, F)),
        layers.LSTM(UNITS),
        layers.Dense(1),
    ])


def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.Adam(LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
        loss=keras.losses.MeanSquaredError(),
    )


def main():
    rng = np.random.default_rng(11)
    x, y = make_data(500, rng)
    xt, yt = make_data(200, rng)

    keras.utils.set_random_seed(3)
    model = build()
    compile_model(model)
    train = tf.data.Dataset.from_tensor_slices((x, y))
    train = train.shuffle(len(x), reshuffle_each_iteration=True).batch(BATCH)   # a new order every epoch
    model.fit(train, epochs=EPOCHS, shuffle=False, verbose=2)
    print("test mse %.5f" % model.evaluate(xt, yt, verbose=0))


if __name__ == "__main__":
    main()
