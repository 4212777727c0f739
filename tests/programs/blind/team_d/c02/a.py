"""Store demand: history through an LSTM, store attributes and the promotion plan beside it; three quantiles."""
import numpy as np
import keras
from keras import layers, ops

T, F_HIST, N_STORE, F_PLAN = 21, 3, 10, 4
QUANTILES = (0.1, 0.5, 0.9)


def make_data(n=3000):
    rng = np.random.default_rng(77)
    store = rng.integers(0, N_STORE, n)
    level = rng.normal(size=N_STORE)[store]
    phase = rng.integers(0, 7, n)
    t = np.arange(T + 1)
    season = np.sin(2 * np.pi * (t[None, :] + phase[:, None]) / 7)
    trend = rng.normal(size=(n, 1)) * 0.05
    promo = (rng.uniform(size=(n, T + 1)) < 0.2).astype(float)
    price = rng.normal(size=(n, T + 1)) * 0.3
    series = (level[:, None] + 0.8 * season + trend * t[None, :] + 1.2 * promo - 0.7 * price
              + 0.3 * rng.normal(size=(n, T + 1)) * (1 + promo))
    hist = np.stack([series[:, :T], promo[:, :T], price[:, :T]], axis=2).astype("float32")
    static = np.eye(N_STORE)[store].astype("float32")
    day = phase + T
    plan = np.stack([promo[:, T], price[:, T], np.sin(2 * np.pi * day / 7), np.cos(2 * np.pi * day / 7)], 1).astype("float32")
    y = series[:, T:].astype("float32")
    k = 2400
    return (hist[:k], static[:k], plan[:k], y[:k]), (hist[k:], static[k:], plan[k:], y[k:])


def pinball(y_true, y_pred):
    q = ops.convert_to_tensor(np.array(QUANTILES, dtype="float32"))
    e = y_true - y_pred
    return ops.mean(ops.maximum(q * e, (q - 1.0) * e), axis=-1)


def build_model():
    hist = keras.Input((T, F_HIST))
    static = keras.Input((N_STORE,))
    plan = keras.Input((F_PLAN,))
    h = layers.LSTM(24, name="lstm")(hist)
    s = layers.Dense(6, activation="tanh", name="static")(static)
    x = layers.Concatenate()([h, s, plan])
    x = layers.Dense(24, activation="tanh", name="mix")(x)
    out = layers.Dense(len(QUANTILES), name="quantiles")(x)
    return keras.Model([hist, static, plan], out)


def main():
    keras.utils.set_random_seed(3)
    (h, s, p, y), (ht, st, pt, yt) = make_data()
    model = build_model()
    opt = keras.optimizers.Adam(learning_rate=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
    model.compile(optimizer=opt, loss=pinball)
    model.fit([h, s, p], y, batch_size=64, epochs=8, shuffle=True, verbose=2)
    print("test pinball %.4f" % model.evaluate([ht, st, pt], yt, batch_size=200, verbose=0))
    pred = model.predict([ht, st, pt], verbose=0)
    print("coverage 10-90: %.3f" % np.mean((yt[:, 0] > pred[:, 0]) & (yt[:, 0] < pred[:, 2])))


if __name__ == "__main__":
    main()
