"""Weekly demand quantiles from history, promo plan and store facts. Keras, model.fit."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import keras
from keras import layers, ops


def make_demand(n=1850, seed=5):
    """28 days of (sales, price, promo), the promo plan of the coming week, and store facts."""
    r = np.random.RandomState(seed)
    t = np.arange(35)
    store = r.randint(0, 6, n)
    level = np.array([1.0, 1.4, 0.8, 1.8, 1.2, 0.6])[store] * np.exp(r.normal(0, 0.25, n))
    phase = r.randint(0, 7, n)
    season = 1 + 0.35 * np.sin(2 * np.pi * (t[None] + phase[:, None]) / 7)
    trend = 1 + r.normal(0, 0.008, (n, 1)) * t[None]
    promo = (r.uniform(size=(n, 35)) < 0.2).astype("float64")
    price = 1 - 0.25 * promo + r.normal(0, 0.03, (n, 35))
    mean = level[:, None] * season * trend * (1 + 0.8 * promo)
    sales = mean * np.exp(r.normal(0, 0.18, (n, 35)))
    hist = np.stack([sales[:, :28], price[:, :28], promo[:, :28]], 2).astype("float32")
    plan = promo[:, 28:].astype("float32")
    static = np.concatenate([np.eye(6)[store], r.normal(size=(n, 2))], 1).astype("float32")
    target = sales[:, 28:].mean(1, keepdims=True).astype("float32")
    return hist, plan, static, target


QUANTILES = np.array([0.1, 0.5, 0.9], dtype="float32")
BATCH = 32
EPOCHS = 10
LR = 4e-3
DECAY = 0.8          # learning rate times this after each epoch
N_TRAIN = 1550       # 48 full batches and one of 14
STEPS = 49

hist, plan, static, target = make_demand()

keras.utils.set_random_seed(42)


def pinball(y_true, y_pred):
    e = y_true - y_pred                                   # (B,1) - (B,3)
    return ops.mean(ops.maximum(QUANTILES * e, (QUANTILES - 1.0) * e), axis=-1)


h_in = keras.Input((28, 3), name="history")
p_in = keras.Input((7,), name="plan")
s_in = keras.Input((8,), name="static")

h = layers.Conv1D(16, 5, padding="causal", activation="elu")(h_in)
h = layers.Conv1D(16, 3, padding="causal", dilation_rate=4, activation="elu")(h)
avg = layers.GlobalAveragePooling1D()(h)
last = h[:, -1, :]
p = layers.Dense(8, activation="elu")(p_in)
s = layers.Dense(8, activation="elu")(s_in)
z = layers.Concatenate()([avg, last, p, s])
z = layers.Dense(32, activation="elu")(z)
z = layers.Dropout(0.1)(z)
out = layers.Dense(3)(z)
model = keras.Model([h_in, p_in, s_in], out)

rate = keras.optimizers.schedules.ExponentialDecay(LR, decay_steps=STEPS, decay_rate=DECAY, staircase=True)
model.compile(optimizer=keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.999, epsilon=1e-12), loss=pinball)

tr = slice(0, N_TRAIN)
te = slice(N_TRAIN, None)
log = model.fit([hist[tr], plan[tr], static[tr]], target[tr], batch_size=BATCH, epochs=EPOCHS,
                shuffle=True, verbose=0)
for k, v in enumerate(log.history["loss"]):
    print(f"epoch {k + 1}: pinball {v:.4f}")

q = model.predict([hist[te], plan[te], static[te]], batch_size=300, verbose=0)
e = target[te] - q
print(f"test pinball {np.maximum(QUANTILES * e, (QUANTILES - 1) * e).mean():.4f}"
      f"  coverage 10-90: {((target[te] >= q[:, :1]) & (target[te] <= q[:, 2:])).mean():.3f}")
