"""Residual MLP on a rough surface, Keras layers and fit: LayerNormalization, Dropout, l2,
LogCosh, Adamax."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers, regularizers

WIDTH, L2, RATE = 32, 2e-4, 0.1
BATCH, EPOCHS = 64, 28


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.uniform(-2, 2, size=(n, 5))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] - np.abs(x[:, 3]) + 0.1 * rng.standard_t(3, size=n)
    return x.astype("float32"), y[:, None].astype("float32")


def dense(units):
    return layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros",
                        kernel_regularizer=regularizers.L2(L2))


def gelu(x):
    return keras.activations.gelu(x, approximate=False)


def build():
    inputs = keras.Input((5,))
    h = gelu(dense(WIDTH)(inputs))
    for _ in range(2):
        z = layers.LayerNormalization(epsilon=1e-5)(h)
        z = gelu(dense(WIDTH)(z))
        z = layers.Dropout(RATE)(z)
        z = dense(WIDTH)(z)
        h = h + z
    h = layers.LayerNormalization(epsilon=1e-5)(h)
    return keras.Model(inputs, dense(1)(h))


def main():
    keras.utils.set_random_seed(101)
    x, y = make_data(1000, 3)
    xt, yt = make_data(500, 4)
    model = build()
    print("weights:", model.count_params())
    model.compile(
        optimizer=keras.optimizers.Adamax(learning_rate=0.006, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
        loss=keras.losses.LogCosh())
    history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    for e, v in enumerate(history.history["loss"]):
        if e % 4 == 3:
            print(f"epoch {e + 1:2d}  loss {v:.4f}")
    err = model.predict(xt, batch_size=len(xt), verbose=0) - yt
    print(f"test mse {np.mean(err ** 2):.4f}  mae {np.mean(np.abs(err)):.4f}")


if __name__ == "__main__":
    main()
