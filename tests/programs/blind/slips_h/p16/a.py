"""Forecast a damped oscillation with a GRU: fit()."""
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(100)


def series(n, rng):
    t = np.arange(25)
    freq = rng.uniform(0.3, 0.9, (n, 1))
    decay = rng.uniform(0.0, 0.06, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    s = 1.5 * np.exp(-decay * t) * np.sin(freq * t + phase)
    x = s[:, :24] + 0.05 * rng.standard_normal((n, 24))
    return x[..., None].astype("float32"), s[:, 24:].astype("float32")


rng = np.random.default_rng(31)
x_train, y_train = series(610, rng)
x_test, y_test = series(250, rng)

model = keras.Sequential([
    keras.Input((24, 1)),
    layers.GRU(24),
    layers.Dense(12, activation="tanh"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=4e-3, rho=0.99, clipnorm=1.0),
    loss=keras.losses.Huber(delta=0.5),
)
history = model.fit(x_train, y_train, batch_size=40, epochs=15, verbose=0)
for i, value in enumerate(history.history["loss"]):
    print(f"epoch {i + 1:2d}  loss {value:.5f}")

error = model.predict(x_test, batch_size=250, verbose=0) - y_test
print(f"test rmse {np.sqrt(np.mean(error ** 2)):.4f}  "
      f"test mae {np.mean(np.abs(error)):.4f}  std of target {y_test.std():.4f}")
