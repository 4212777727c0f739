"""Demand forecasting: three quantiles from a sales history, a calendar and the store (Keras)."""
import numpy as np
import keras
from keras import layers, ops

QUANTILES = [0.1, 0.5, 0.9]
BATCH = 64
EPOCHS = 9


def make_data():
    """Daily sales of 8 stores; windows of 21 days, target = the day after."""
    rng = np.random.default_rng(23)
    days, stores, hist = 330, 8, 21
    t = np.arange(days)
    H, C, S, Y, D = [], [], [], [], []
    for s in range(stores):
        weekly = 1 + 0.35 * np.sin(2 * np.pi * (t + rng.integers(7)) / 7)
        yearly = 1 + 0.2 * np.sin(2 * np.pi * t / 365 + rng.uniform(0, 6))
        promo = (rng.random(days) < 0.15).astype(float)
        price = 1 + 0.1 * rng.normal(size=days)
        level = rng.uniform(0.6, 1.4)
        noise = np.exp(0.12 * (1 + promo) * rng.normal(size=days))
        sales = level * weekly * yearly * (1 + 0.6 * promo) * (1 - 0.8 * (price - 1)) * noise
        for d in range(hist, days):
            H.append(np.stack([sales[d - hist:d] - 1, promo[d - hist:d]], 1))
            C.append([np.sin(2 * np.pi * d / 7), np.cos(2 * np.pi * d / 7), promo[d], (price[d] - 1) * 10])
            S.append(np.eye(stores)[s])
            Y.append(sales[d])
            D.append(d)
    H, C, S, Y = (np.asarray(v, dtype="float32") for v in (H, C, S, Y))
    train = np.asarray(D) < 280
    return (H[train], C[train], S[train], Y[train]), (H[~train], C[~train], S[~train], Y[~train])


def pinball(y_true, y_pred):
    err = y_true - y_pred  # (batch, 1) - (batch, 3)
    q = ops.convert_to_tensor(QUANTILES, dtype="float32")
    return ops.mean(ops.maximum(q * err, (q - 1.0) * err), axis=-1)


def build_model():
    hist = keras.Input((21, 2), name="history")
    cal = keras.Input((4,), name="calendar")
    store = keras.Input((8,), name="store")
    h = layers.GRU(20, reset_after=True, kernel_initializer="glorot_uniform",
                   recurrent_initializer="orthogonal", bias_initializer="zeros")(hist)
    c = layers.Dense(12, activation="tanh")(cal)
    s = layers.Dense(4, use_bias=False)(store)
    z = layers.Concatenate()([h, c, s])
    z = layers.Dense(24, activation="relu")(z)
    return keras.Model([hist, cal, store], layers.Dense(len(QUANTILES))(z))


def main():
    keras.utils.set_random_seed(101)
    (h, c, s, y), (hv, cv, sv, yv) = make_data()
    model = build_model()
    steps = -(-len(y) // BATCH)
    schedule = keras.optimizers.schedules.ExponentialDecay(4e-3, decay_steps=steps, decay_rate=0.75, staircase=True)
    model.compile(keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12), loss=pinball)
    for epoch in range(EPOCHS):
        hist = model.fit([h, c, s], y[:, None], batch_size=BATCH, initial_epoch=epoch, epochs=epoch + 1,
                         shuffle=True, verbose=0)
        val = model.evaluate([hv, cv, sv], yv[:, None], batch_size=512, verbose=0)
        print(f"epoch {epoch + 1}  train pinball {hist.history['loss'][0]:.4f}  test pinball {val:.4f}")
    pred = model.predict([hv, cv, sv], batch_size=512, verbose=0)
    print("coverage 10-90:", float(np.mean((yv >= pred[:, 0]) & (yv <= pred[:, 2]))))


if __name__ == "__main__":
    main()
