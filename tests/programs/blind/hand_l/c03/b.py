"""Leaky-integrator regression with keras.layers.LSTM."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(31)


def make(n, rng, steps=22):
    x = rng.normal(size=(n, steps, 3)).astype(np.float32)
    s = np.zeros(n)
    for t in range(steps):
        s = 0.85 * s + x[:, t, 0] / (1 + np.exp(-2 * x[:, t, 1]))
    y = (s + 0.05 * rng.normal(size=n)).astype(np.float32)
    return x, y


rng = np.random.default_rng(7)
x_train, y_train = make(1200, rng)
x_test, y_test = make(400, rng)

model = keras.Sequential([
    keras.Input((22, 3)),
    layers.LSTM(24, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                bias_initializer="zeros", unit_forget_bias=True),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=3e-3, rho=0.9, momentum=0.0, epsilon=1e-7,
                                       centered=False, global_clipnorm=0.5),
    loss="mean_squared_error",
)
h = model.fit(x_train, y_train[:, None], epochs=14, batch_size=48, shuffle=True, verbose=0)
for i, v in enumerate(h.history["loss"], 1):
    print(f"epoch {i} mse {v:.5f}")
print(f"test mse {model.evaluate(x_test, y_test[:, None], batch_size=48, verbose=0):.5f}")
