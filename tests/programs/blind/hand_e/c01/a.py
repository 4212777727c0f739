"""Forecast the next value of a damped oscillation with an LSTM (Keras)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(3)

SEQ, HIDDEN, BATCH, EPOCHS, LR = 20, 24, 40, 14, 4e-3


def make_data(n=1000, seed=101):
    rng = np.random.default_rng(seed)
    t = np.arange(SEQ + 1)[None, :]
    freq = rng.uniform(0.2, 0.9, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    damp = rng.uniform(0.0, 0.06, (n, 1))
    wave = np.exp(-damp * t) * np.sin(freq * t + phase)
    x = np.stack([wave[:, :-1], np.diff(wave, axis=1, prepend=wave[:, :1])[:, :-1]], axis=-1)
    x = x + 0.03 * rng.normal(size=x.shape)
    y = wave[:, -1:]
    return x.astype("float32"), y.astype("float32")


x, y = make_data()
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]

model = keras.Sequential([
    layers.Input((SEQ, 2)),
    layers.LSTM(HIDDEN, activation="tanh", recurrent_activation="sigmoid",
                kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                bias_initializer="zeros", unit_forget_bias=True),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.MeanSquaredError(),
)
print("parameters:", model.count_params())

model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
print("test mse: %.5f" % model.evaluate(x_test, y_test, batch_size=200, verbose=0))
