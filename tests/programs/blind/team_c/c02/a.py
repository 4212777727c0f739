"""Demand forecasting: sales history + calendar + store attributes, three quantiles, Keras fit."""
import keras
import numpy as np
from keras import layers, ops

N_TRAIN, N_TEST, T = 1620, 400, 14
BATCH, EPOCHS = 40, 7
QUANTILES = (0.1, 0.5, 0.9)


def make_data():
    rng = np.random.RandomState(77)
    n = N_TRAIN + N_TEST
    store = rng.randn(n, 4)
    level = 1.5 + 0.4 * store @ np.array([0.8, -0.5, 0.3, 0.1])
    dow0 = rng.randint(0, 7, n)
    season = np.array([0.0, -0.2, -0.1, 0.1, 0.5, 0.8, 0.3])
    promo = (rng.rand(n, T + 1) < 0.2).astype(float)
    price = 1 + 0.15 * rng.randn(n, T + 1)
    noise = np.zeros((n, T + 1))
    e = rng.randn(n)
    for t in range(T + 1):
        e = 0.7 * e + 0.5 * rng.randn(n)
        noise[:, t] = e
    days = (dow0[:, None] + np.arange(T + 1)[None, :]) % 7
    sales = level[:, None] + season[days] + 0.6 * promo - 1.0 * (price - 1) + 0.4 * noise
    hist = np.stack([sales[:, :T], promo[:, :T], price[:, :T] - 1], axis=2).astype("float32")
    cal = np.concatenate([np.eye(7)[days[:, T]], promo[:, T:], price[:, T:] - 1], axis=1).astype("float32")
    stat = store.astype("float32")
    y = sales[:, T:].astype("float32")
    tr, te = slice(0, N_TRAIN), slice(N_TRAIN, n)
    return (hist[tr], cal[tr], stat[tr], y[tr]), (hist[te], cal[te], stat[te], y[te])


def build_model():
    h_in = keras.Input((T, 3))
    c_in = keras.Input((9,))
    s_in = keras.Input((4,))
    h = layers.GRU(16, activation="tanh", recurrent_activation="sigmoid", reset_after=True,
                   kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                   bias_initializer="zeros")(h_in)
    s = layers.Dense(8, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros")(s_in)
    x = layers.Concatenate()([h, c_in, s])
    x = layers.Dense(32, activation="elu", kernel_initializer="glorot_uniform", bias_initializer="zeros")(x)
    x = layers.Dropout(0.1)(x)
    out = layers.Dense(len(QUANTILES), kernel_initializer="glorot_uniform", bias_initializer="zeros")(x)
    return keras.Model([h_in, c_in, s_in], out)


def pinball(y_true, y_pred):
    q = ops.convert_to_tensor(QUANTILES, dtype="float32")
    err = y_true - y_pred  # (B, 1) - (B, 3)
    return ops.mean(ops.maximum(q * err, (q - 1.0) * err), axis=-1)


def compiled_model():
    model = build_model()
    # epsilon so small that its place in the formula does not matter
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999,
                                                  epsilon=1e-12, global_clipnorm=0.5),
                  loss=pinball)
    return model


def main():
    keras.utils.set_random_seed(3)
    (h, c, s, y), (h_te, c_te, s_te, y_te) = make_data()
    model = compiled_model()
    model.fit([h, c, s], y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
    pred = model.predict([h_te, c_te, s_te], batch_size=400, verbose=0)
    err = y_te - pred
    q = np.array(QUANTILES)
    print("test pinball", float(np.maximum(q * err, (q - 1) * err).mean()),
          "coverage", float(((y_te > pred[:, :1]) & (y_te < pred[:, 2:])).mean()))


if __name__ == "__main__":
    main()
