"""Regression on correlated measurements; the first layer starts as a whitening transform. Keras."""
import numpy as np
import keras
from keras import layers

N, HID = 20, 32


def measurements():
    rng = np.random.RandomState(8)
    n = 1440
    latent = rng.randn(n, N)
    spread = np.geomspace(2.5, 0.15, N)
    mixing = np.linalg.qr(rng.randn(N, N))[0]
    x = (latent * spread) @ mixing.T
    y = np.sin(1.5 * latent[:, 17]) + 0.5 * latent[:, 19] + 0.3 * latent[:, 18] * latent[:, 16]
    return x.astype("float32"), y.astype("float32")[:, None]


def start(sample):
    """Matrices for y = x @ w + b; the first one whitens the sample along its principal axes."""
    values, axes = np.linalg.eigh(np.cov(sample.astype("float64"), rowvar=False))
    whiten = axes / np.sqrt(values)
    rng = np.random.RandomState(21)
    lim1, lim2 = np.sqrt(6 / (N + HID)), np.sqrt(6 / (HID + 1))
    w1 = rng.uniform(-lim1, lim1, size=(N, HID))
    w2 = rng.uniform(-lim2, lim2, size=(HID, 1))
    return [v.astype("float32") for v in (whiten, w1, np.zeros(HID), w2, np.zeros(1))]


x, y = measurements()
x_train, y_train, x_test, y_test = x[:1080], y[:1080], x[1080:], y[1080:]

keras.utils.set_random_seed(10)
net = keras.Sequential([
    layers.Input((N,)),
    layers.Dense(N, use_bias=False),
    layers.Dense(HID, activation="tanh"),
    layers.Dense(1),
])
net.set_weights(start(x_train))

net.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9), loss="mse")
log = net.fit(x_train, y_train, batch_size=60, epochs=25, shuffle=True, verbose=0)
for epoch, value in enumerate(log.history["loss"]):
    print(f"epoch {epoch + 1:2d} mse {value:.4f}")
print(f"test mse {net.evaluate(x_test, y_test, verbose=0):.4f}")
