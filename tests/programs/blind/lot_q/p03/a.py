"""Hourly counts from weather-like covariates: a Poisson regression network in Keras."""
import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(2024)
N, D = 1500, 6
X = rng.normal(size=(N, D))
rate = np.exp(0.5 + 0.5 * np.sin(2 * X[:, 0]) + 0.4 * X[:, 1] - 0.3 * X[:, 2] * X[:, 3])
rate = np.minimum(rate, 12.0)
counts = rng.poisson(rate)
X = X.astype(np.float32)
y = counts.astype(np.float32).reshape(-1, 1)
X_train, X_test = X[:1200], X[1200:]
y_train, y_test = y[:1200], y[1200:]

keras.utils.set_random_seed(8)
init = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input(shape=(D,)),
    layers.Dense(32, activation="tanh", **init),
    layers.Dense(16, activation="tanh", **init),
    layers.Dense(1, activation="softplus", **init),
])
model.compile(loss=keras.losses.Poisson(),
              optimizer=keras.optimizers.Adam(3e-3, epsilon=1e-10))
hist = model.fit(X_train, y_train, batch_size=60, epochs=20, shuffle=True, verbose=0)
print("loss by epoch:", " ".join(f"{v:.3f}" for v in hist.history["loss"]))

pred = model.predict(X_test, verbose=0)
print("test loss %.4f" % model.evaluate(X_test, y_test, verbose=0))
print("test mean absolute error %.4f" % np.abs(pred - y_test).mean())
print("correlation %.4f" % np.corrcoef(pred[:, 0], y_test[:, 0])[0, 1])
