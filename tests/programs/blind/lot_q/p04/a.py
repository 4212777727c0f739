"""Two cues, an early one and a late one, to be added up at the end. Keras GRU."""
import numpy as np
import keras
from keras import layers

T, C, H = 50, 2, 16


def make(n, rng):
    cue = rng.choice([-1.0, 1.0], size=n)
    strength = rng.uniform(0.5, 1.5, size=n)
    x = 0.2 * rng.normal(size=(n, T, C))
    when = rng.integers(0, 4, size=n)
    x[np.arange(n), when, 0] += cue * strength
    x[np.arange(n), when, 1] += 1.0
    late = rng.normal(size=n)
    x[:, T - 3, 0] += late
    target = cue * strength + 0.8 * late
    return x.astype("float32"), target.astype("float32")[:, None]


def initial_weights():
    """Kernel (C, 3H), recurrent kernel (H, 3H), biases (2, 3H); gates z, r, candidate."""
    rng = np.random.default_rng(99)
    kernel = rng.uniform(-0.35, 0.35, size=(C, 3 * H))
    recurrent = rng.uniform(-0.25, 0.25, size=(H, 3 * H))
    bias = np.zeros((2, 3 * H))
    bias[0, :H] = 4.0  # slow units: keep the state
    head = rng.uniform(-0.5, 0.5, size=(H, 1))
    return [w.astype("float32") for w in (kernel, recurrent, bias, head, np.zeros(1))]


data_rng = np.random.default_rng(5)
x_train, y_train = make(960, data_rng)
x_test, y_test = make(480, data_rng)

keras.utils.set_random_seed(0)
model = keras.Sequential([layers.Input((T, C)), layers.GRU(H, reset_after=True), layers.Dense(1)])
model.set_weights(initial_weights())

model.compile(optimizer=keras.optimizers.Adam(learning_rate=2e-3, epsilon=1e-10), loss="mse")
log = model.fit(x_train, y_train, batch_size=48, epochs=12, shuffle=True, verbose=0)
for e, v in enumerate(log.history["loss"]):
    print("epoch", e, "mse", round(v, 4))
print("test mse", round(model.evaluate(x_test, y_test, verbose=0), 4))
