"""Mixture of experts for delivery times. Keras layer with add_loss, trained by fit."""
import numpy as np
import keras
from keras import layers, ops


def make_deliveries(n=2300, seed=6):
    """Delivery times from ten facts; four kinds of routes behave differently, and some are delayed."""
    r = np.random.RandomState(seed)
    x = r.normal(size=(n, 10))
    route = (x[:, 0] > 0).astype(int) * 2 + (x[:, 1] > 0.3)
    w = r.normal(0, 0.6, (4, 10))
    y = (x * w[route]).sum(1) + np.array([0.5, -0.8, 1.2, -0.3])[route] + 0.15 * r.normal(size=n)
    late = r.uniform(size=n) < 0.05
    y[late] += r.exponential(3.0, late.sum())
    return x.astype("float32"), y.astype("float32")[:, None]


EXPERTS, HID = 4, 16
BATCH, EPOCHS, N_TRAIN = 50, 12, 1900
LR, WD, BALANCE, CLIP = 1.5e-2, 1e-3, 0.05, 1.0
STEPS = N_TRAIN // BATCH * EPOCHS

x, y = make_deliveries()
x_tr, y_tr, x_te, y_te = x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]

keras.utils.set_random_seed(64)


class Mixture(layers.Layer):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.gate = layers.Dense(EXPERTS, activation="softmax", name="gate")
        self.inner = [layers.Dense(HID, activation="silu", name=f"inner{k}") for k in range(EXPERTS)]
        self.outer = [layers.Dense(1, name=f"outer{k}") for k in range(EXPERTS)]

    def build(self, shape):
        self.gate.build(shape)
        for a, b in zip(self.inner, self.outer):
            a.build(shape)
            b.build((shape[0], HID))
        self.built = True

    def call(self, x):
        g = self.gate(x)
        share = ops.mean(g, axis=0)
        self.add_loss(BALANCE * EXPERTS * ops.sum(ops.square(share)))     # use all experts
        each = ops.concatenate([b(a(x)) for a, b in zip(self.inner, self.outer)], axis=1)
        return ops.sum(g * each, axis=1, keepdims=True)


inp = keras.Input((10,))
model = keras.Model(inp, Mixture()(inp))
rate = keras.optimizers.schedules.CosineDecay(LR, decay_steps=STEPS, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.AdamW(rate, weight_decay=WD, beta_1=0.9, beta_2=0.99, epsilon=1e-7,
                                     global_clipnorm=CLIP),
    loss=keras.losses.Huber(delta=1.0))
h = model.fit(x_tr, y_tr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for k in range(0, EPOCHS, 2):
    print(f"epoch {k + 1}: {h.history['loss'][k]:.4f}")

p = model.predict(x_te, batch_size=400, verbose=0)
e = np.abs(p - y_te)
print(f"test huber {np.where(e <= 1, 0.5 * e * e, e - 0.5).mean():.4f}  median error {np.median(e):.4f}")
