# Weekly demand forecast: sales history + store type + promotion plan -> three quantiles
import numpy as np
import keras
from keras import layers, ops

QUANTILES = (0.1, 0.5, 0.9)


def load():
    rng = np.random.default_rng(77)
    stores, days = 40, 140
    t = np.arange(days)
    kind = rng.integers(0, 4, stores)
    base = 1.0 + 0.4 * kind + 0.2 * rng.normal(size=stores)
    promo = (rng.uniform(size=(stores, days)) < 0.2).astype("float32")
    price = 1.0 + 0.1 * rng.normal(size=(stores, days)) - 0.15 * promo
    phase = rng.uniform(0, 6.28, stores)
    sales = (
        base[:, None]
        + 0.5 * np.sin(2 * np.pi * t / 7 + phase[:, None])
        + 0.6 * promo
        - 0.8 * (price - 1)
        + 0.25 * rng.normal(size=(stores, days)) * (1 + promo)
    )
    hist, static, plan, target = [], [], [], []
    for s in range(stores):
        for d in range(21, days - 7, 2):
            hist.append(np.stack([sales[s, d - 21:d], price[s, d - 21:d], promo[s, d - 21:d]], axis=1))
            static.append(np.eye(4)[kind[s]])
            plan.append(promo[s, d:d + 7])
            target.append([sales[s, d:d + 7].mean()])
    order = rng.permutation(len(target))
    return [np.asarray(v, dtype="float32")[order] for v in (hist, static, plan, target)]


def pinball(y_true, y_pred):
    q = ops.convert_to_tensor(QUANTILES, dtype="float32")
    e = y_true - y_pred
    return ops.mean(ops.maximum(q * e, (q - 1.0) * e), axis=-1)


def build_model():
    history = keras.Input((21, 3), name="history")
    store = keras.Input((4,), name="store")
    plan = keras.Input((7,), name="plan")
    h = layers.LSTM(24)(history)
    h = layers.Concatenate()([h, store, plan])
    h = layers.Dense(32, activation="relu")(h)
    return keras.Model([history, store, plan], layers.Dense(3)(h))


# --- training
keras.utils.set_random_seed(5)
hist, static, plan, y = load()
n = 1920
model = build_model()
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss=pinball,
)
model.fit([hist[:n], static[:n], plan[:n]], y[:n], batch_size=64, epochs=10, shuffle=True, verbose=2)
test = model.evaluate([hist[n:], static[n:], plan[n:]], y[n:], batch_size=64, verbose=0)
p = model.predict([hist[n:], static[n:], plan[n:]], verbose=0)
print("test pinball %.4f" % test, "coverage", np.round((y[n:] <= p).mean(axis=0), 3))
