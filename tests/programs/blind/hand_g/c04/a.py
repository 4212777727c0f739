"""One-step-ahead forecast of a noisy oscillation with keras.layers.LSTM."""
import numpy as np
import keras
from keras import layers

SEED = 1
keras.utils.set_random_seed(SEED)

rs = np.random.RandomState(2024)
t = np.arange(1700)
series = np.sin(0.21 * t) + 0.6 * np.sin(0.053 * t + 1.0) + 0.1 * rs.randn(len(t))
WINDOW = 24
windows = np.stack([series[i:i + WINDOW] for i in range(len(series) - WINDOW)]).astype("float32")[..., None]
nexts = series[WINDOW:].astype("float32")[:, None]
x_train, y_train = windows[:1280], nexts[:1280]
x_test, y_test = windows[1300:], nexts[1300:]

model = keras.Sequential([
    keras.Input((WINDOW, 1)),
    layers.LSTM(24, activation="tanh", recurrent_activation="sigmoid",
                kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                bias_initializer="zeros", unit_forget_bias=True),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
optimizer = keras.optimizers.RMSprop(learning_rate=2e-3, rho=0.9, momentum=0.0, epsilon=1e-7,
                                     centered=False, global_clipnorm=0.5)
model.compile(optimizer=optimizer, loss="mean_squared_error")

# training
model.fit(x_train, y_train, batch_size=64, epochs=14, shuffle=True, verbose=2)
print("test mse: %.5f" % model.evaluate(x_test, y_test, verbose=0))
