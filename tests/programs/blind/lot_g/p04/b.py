"""Forecast the next value of a noisy seasonal signal with an LSTM (Keras)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(0)


def series(n=900, steps=18, seed=314):
    g = np.random.default_rng(seed)
    t = np.arange(steps + 1)
    level = g.uniform(0.5, 2.5, size=(n, 1))
    amp = g.uniform(0.3, 1.2, size=(n, 1))
    freq = g.uniform(0.25, 0.6, size=(n, 1))
    phase = g.uniform(0, 2 * np.pi, size=(n, 1))
    s = level + amp * np.sin(freq * t + phase) + 0.05 * g.standard_normal((n, steps + 1))
    return s[:, :-1, None].astype(np.float32), s[:, -1:].astype(np.float32)


x, y = series()
x_tr, y_tr, x_te, y_te = x[:720], y[:720], x[720:], y[720:]
UNITS, BATCH, EPOCHS, LR = 24, 40, 18, 0.03

model = keras.Sequential([
    keras.Input((x.shape[1], 1)),
    layers.LSTM(UNITS, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                bias_initializer="zeros", unit_forget_bias=True),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=0.9),
              loss=keras.losses.MeanSquaredError())
hist = model.fit(x_tr, y_tr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1:02d}: mse {value:.5f}")

pred = model.predict(x_te, verbose=0)
print(f"test mse {np.mean((pred - y_te) ** 2):.5f}")
