"""One-step-ahead forecasting with a small causal attention model (Keras)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(0)

T, E, HEADS = 24, 32, 4


def make_series(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(T + 1)
    period = rng.uniform(5, 12, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    slope = rng.normal(scale=0.03, size=(n, 1))
    s = np.sin(2 * np.pi * t / period + phase) + slope * t + 0.05 * rng.normal(size=(n, T + 1))
    s[rng.random(s.shape) < 0.01] += 2.0
    s = s.astype("float32")
    return s[:, :-1, None], s[:, 1:, None]


def positions():
    pos = np.arange(T)[:, None]
    freq = np.exp(-np.log(10000.0) * np.arange(0, E, 2) / E)
    pe = np.zeros((T, E), dtype="float32")
    pe[:, 0::2] = np.sin(pos * freq)
    pe[:, 1::2] = np.cos(pos * freq)
    return pe


x_train, y_train = make_series(640, 1)
x_test, y_test = make_series(200, 2)

PE = positions()
inp = keras.Input((T, 1))
h = layers.Dense(E)(inp)
h = layers.Lambda(lambda z: z + PE)(h)
att = layers.MultiHeadAttention(num_heads=HEADS, key_dim=E // HEADS, use_bias=False)(h, h, use_causal_mask=True)
h = layers.Add()([h, att])
f = layers.Dense(64, activation="relu")(h)
f = layers.Dense(E)(f)
h = layers.Add()([h, f])
out = layers.Dense(1)(h)
model = keras.Model(inp, out)

model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.98, epsilon=1e-12),
    loss=keras.losses.Huber(delta=0.5),
)

# ---- training
model.fit(x_train, y_train, batch_size=32, epochs=12, shuffle=True, verbose=0)

print("train huber", round(model.evaluate(x_train, y_train, batch_size=32, verbose=0), 5))
print("test huber ", round(model.evaluate(x_test, y_test, batch_size=32, verbose=0), 5))
