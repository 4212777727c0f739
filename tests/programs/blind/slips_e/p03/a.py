import numpy as np
import keras
from keras import layers, regularizers, initializers
from sklearn.datasets import load_diabetes

BATCH, ALPHA = 32, 1.0


def load():
    d = load_diabetes()
    order = np.random.default_rng(14).permutation(len(d.target))
    x, y = d.data[order], d.target[order]
    x = (x - x[:320].mean(0)) / x[:320].std(0)
    y = (y - y[:320].mean()) / y[:320].std()
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:320], y[:320], x[320:], y[320:]


def dense(n_in, n_out, activation=None):
    limit = float(np.sqrt(6.0 / (n_in + n_out)))
    return layers.Dense(
        n_out, activation=activation,
        kernel_initializer="glorot_uniform",
        bias_initializer=initializers.RandomUniform(-limit, limit),
        kernel_regularizer=regularizers.L2(ALPHA / BATCH),
    )


def build():
    return keras.Sequential([keras.Input((10,)), dense(10, 32, "relu"), dense(32, 16, "relu"), dense(16, 1)])


def half_squared_error(y_true, y_pred):
    return 0.5 * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


def main():
    keras.utils.set_random_seed(6)
    x, y, xt, yt = load()
    model = build()
    model.compile(optimizer=keras.optimizers.Adam(2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8), loss=half_squared_error)
    model.fit(x, y[:, None], batch_size=BATCH, epochs=30, shuffle=True, verbose=0)
    print("train mse %.4f" % np.mean((model.predict(x, verbose=0)[:, 0] - y) ** 2))
    print("test mse %.4f" % np.mean((model.predict(xt, verbose=0)[:, 0] - yt) ** 2))


if __name__ == "__main__":
    main()
