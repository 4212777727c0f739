"""Demand forecasting with past sales, planned promotions and store attributes: Keras fit."""
import numpy as np
import keras
from keras import layers, regularizers


T_PAST, T_FUT, N_STORE = 21, 7, 8


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(99)
    level = truth.uniform(1.0, 2.5, N_STORE)
    uplift = truth.uniform(0.3, 1.0, N_STORE)
    store = rng.randint(0, N_STORE, n)
    t0 = rng.randint(0, 7, n)
    days = np.arange(T_PAST + T_FUT)
    season = 0.6 * np.sin(2 * np.pi * (t0[:, None] + days) / 7)
    promo = (rng.rand(n, T_PAST + T_FUT) < 0.25).astype("float32")
    drift = rng.randn(n, 1) * 0.4
    y = level[store][:, None] + season + uplift[store][:, None] * promo + drift
    y = y + rng.randn(n, T_PAST + T_FUT) * 0.15
    past = np.stack([y[:, :T_PAST], promo[:, :T_PAST]], axis=2).astype("float32")
    future = promo[:, T_PAST:].astype("float32")
    static = np.eye(N_STORE)[store].astype("float32")
    return past, future, static, y[:, T_PAST:].astype("float32")


past_tr, fut_tr, sta_tr, y_tr = make_data(1000, 10)
past_te, fut_te, sta_te, y_te = make_data(400, 11)
BATCH, EPOCHS = 48, 12

keras.utils.set_random_seed(3)

past_in = keras.Input((T_PAST, 2), name="past")
fut_in = keras.Input((T_FUT,), name="future_promo")
sta_in = keras.Input((N_STORE,), name="store")
h = layers.GRU(16, name="gru")(past_in)
x = layers.Concatenate()([h, fut_in, sta_in])
x = layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(1e-4), name="hidden")(x)
x = layers.Dropout(0.1)(x)
out = layers.Dense(T_FUT, kernel_regularizer=regularizers.L2(1e-4), name="out")(x)
model = keras.Model([past_in, fut_in, sta_in], out)

model.compile(
    optimizer=keras.optimizers.RMSprop(4e-3, rho=0.9, momentum=0.0, epsilon=1e-7, decay=5e-3),
    loss=keras.losses.Huber(delta=1.0),
)

# training
hist = model.fit([past_tr, fut_tr, sta_tr], y_tr, batch_size=BATCH, epochs=EPOCHS, verbose=0)
for epoch, l in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1}: loss {l:.4f}")

p = model.predict([past_te, fut_te, sta_te], verbose=0)
print(f"test mae {np.abs(p - y_te).mean():.4f}  rmse {np.sqrt(((p - y_te) ** 2).mean()):.4f}")
