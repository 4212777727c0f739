"""One-step forecast of a noisy signal: Keras LSTM, fit()."""
import numpy as np
import keras

WINDOW, UNITS, BATCH, EPOCHS = 20, 24, 50, 16


def make_windows():
    rng = np.random.default_rng(7)
    t = np.arange(1820)
    s = np.sin(2 * np.pi * t / 23.0) + 0.6 * np.sin(2 * np.pi * t / 9.0 + 1.0) + 0.1 * rng.normal(size=t.size)
    phase = np.cos(2 * np.pi * t / 23.0)
    series = np.stack([s, phase], axis=1).astype("float32")
    x = np.stack([series[i : i + WINDOW] for i in range(len(t) - WINDOW)])
    y = s[WINDOW:].astype("float32")[:, None]
    return x[:1500], y[:1500], x[1500:], y[1500:]


x_train, y_train, x_test, y_test = make_windows()

keras.utils.set_random_seed(3)
model = keras.Sequential(
    [
        keras.Input((WINDOW, 2)),
        keras.layers.LSTM(
            UNITS,
            activation="tanh",
            recurrent_activation="sigmoid",
            kernel_initializer="glorot_uniform",
            recurrent_initializer="orthogonal",
            bias_initializer="zeros",
            unit_forget_bias=True,
        ),
        keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ]
)
model.compile(
    optimizer=keras.optimizers.RMSprop(
        learning_rate=5e-4, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, global_clipnorm=0.25
    ),
    loss=keras.losses.Huber(delta=0.5),
)

# training
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)

pred = model.predict(x_test, batch_size=BATCH, verbose=0)
print("test huber", float(model.evaluate(x_test, y_test, batch_size=BATCH, verbose=0)))
print("test rmse ", float(np.sqrt(np.mean((pred - y_test) ** 2))))
