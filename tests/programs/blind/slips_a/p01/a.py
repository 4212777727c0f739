"""One-step forecast of a noisy oscillation with an LSTM (Keras fit)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(11)

WINDOW, UNITS, BATCH, EPOCHS = 18, 20, 64, 12


def make_series(seed=3, n=1500):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    s = np.sin(0.21 * t) + 0.6 * np.sin(0.057 * t + 1.0) * np.cos(0.4 * t)
    s = s + 0.08 * rng.normal(size=n)
    d = np.concatenate([[0.0], np.diff(s)])
    f = np.stack([s, d], axis=1)
    x = np.stack([f[i:i + WINDOW] for i in range(n - WINDOW)])
    y = s[WINDOW:, None]
    return x.astype("float32"), y.astype("float32")


x, y = make_series()
x_train, y_train, x_test, y_test = x[:1152], y[:1152], x[1152:], y[1152:]

model = keras.Sequential([
    keras.Input((WINDOW, 2)),
    layers.LSTM(UNITS),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, clipnorm=0.5),
    loss="mse",
)
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for i, v in enumerate(history.history["loss"]):
    print(f"epoch {i + 1} mse {v:.5f}")
print(f"test mse {model.evaluate(x_test, y_test, batch_size=BATCH, verbose=0):.5f}")
