import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(77)
keras.mixed_precision.set_global_policy("mixed_bfloat16")


def weather(n=1500, seed=8):
    """Pressure [hPa], temperature [K], wind [m/s], humidity [%] -> comfort index."""
    rng = np.random.default_rng(seed)
    p = 1013.0 + 8.0 * rng.normal(size=n)
    t = 288.0 + 6.0 * rng.normal(size=n)
    w = rng.gamma(3.0, 1.5, size=n)
    h = rng.uniform(30.0, 95.0, size=n)
    a, b = (p - 1013.0) / 8.0, (t - 288.0) / 6.0
    c, d = (w - 4.5) / 2.6, (h - 62.5) / 18.8
    y = 0.8 * a + np.tanh(1.5 * b) - 0.4 * c * b + 0.3 * d * a + 0.1 * rng.normal(size=n)
    return np.stack([p, t, w, h], axis=1).astype(np.float32), y.astype(np.float32)[:, None]


X, y = weather()
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

init = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input((4,)),
    layers.Normalization(axis=-1, mean=X_train.mean(axis=0), variance=X_train.var(axis=0)),
    layers.Dense(48, activation="relu", **init),
    layers.Dense(24, activation="relu", **init),
    layers.Dense(1, **init),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
              loss=keras.losses.MeanSquaredError())
history = model.fit(X_train, y_train, batch_size=40, epochs=16, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch:2d}  mse {value:.4f}")
print(f"test mse {model.evaluate(X_test, y_test, batch_size=300, verbose=0):.4f}")
