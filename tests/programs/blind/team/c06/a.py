"""Quantiles of delivery time with a soft mixture of experts: Keras."""
import numpy as np
import keras
from keras import layers, ops


QUANTILES = np.array([0.1, 0.5, 0.9], dtype="float32")
N_FEAT, N_EXPERTS, WIDTH = 8, 4, 16
BALANCE = 0.05


def make_data(n, seed):
    """Delivery times: three regimes of traffic with different noise."""
    rng = np.random.RandomState(seed)
    x = rng.uniform(-1, 1, (n, N_FEAT))
    regime = (x[:, 0] > 0.2).astype(int) + (x[:, 1] > 0.0)
    mean = np.choose(regime, [1.5 * x[:, 2], 1.0 + 2 * x[:, 3] * x[:, 2], -0.5 - 1.2 * x[:, 4]])
    scale = np.choose(regime, [0.2, 0.5, 0.9]) * (1 + 0.5 * x[:, 5])
    y = mean + scale * rng.gumbel(size=n)
    return x.astype("float32"), y.astype("float32")


def report(y, q):
    e = y[:, None] - q
    pin = np.maximum(QUANTILES * e, (QUANTILES - 1) * e).mean()
    cover = ((y >= q[:, 0]) & (y <= q[:, 2])).mean()
    print(f"test pinball {pin:.4f}  coverage of the 80% band {cover:.3f}")


x_tr, y_tr = make_data(1500, 40)
x_te, y_te = make_data(800, 41)
BATCH, EPOCHS = 50, 18

keras.utils.set_random_seed(8)


class Balance(layers.Layer):
    """Pushes the average gate towards equal use of the experts."""

    def call(self, gate):
        usage = ops.mean(gate, axis=0)
        self.add_loss(BALANCE * N_EXPERTS * ops.sum(usage ** 2))
        return gate


inp = keras.Input((N_FEAT,))
gate = layers.Dense(N_EXPERTS, activation="softmax", name="gate")(inp)
gate = Balance()(gate)
experts = []
for k in range(N_EXPERTS):
    h = layers.Dense(WIDTH, activation="tanh", name=f"expert{k}_hidden")(inp)
    experts.append(layers.Dense(len(QUANTILES), name=f"expert{k}_out")(h))
stacked = layers.Lambda(lambda t: ops.stack(t, axis=1))(experts)             # (B, K, Q)
out = layers.Lambda(lambda t: ops.sum(t[0][:, :, None] * t[1], axis=1))([gate, stacked])
model = keras.Model(inp, out)


def pinball(y_true, y_pred):
    e = y_true - y_pred                      # (B, 1) - (B, Q)
    return ops.mean(ops.maximum(QUANTILES * e, (QUANTILES - 1) * e), axis=-1)


model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1, epsilon=1e-12),
    loss=pinball,
)

# training
hist = model.fit(x_tr, y_tr[:, None], batch_size=BATCH, epochs=EPOCHS, verbose=0)
for epoch, l in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1}: loss {l:.4f}")

report(y_te, model.predict(x_te, verbose=0))
