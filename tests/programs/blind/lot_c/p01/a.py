import numpy as np
import keras
from keras import layers


def fields(n):
    rng = np.random.default_rng(15)
    u = np.arange(12) / 12.0
    gx, gy = np.meshgrid(u, u, indexing="ij")
    out = np.zeros((n, 12, 12))
    for _ in range(5):
        k = rng.uniform(-1.6, 1.6, size=(n, 2, 1, 1))
        phase = rng.uniform(0, 2 * np.pi, size=(n, 1, 1))
        amp = rng.normal(size=(n, 1, 1)) * 0.5
        out += amp * np.sin(2 * np.pi * (k[:, 0] * gx + k[:, 1] * gy) + phase)
    return out.astype("float32")


high = fields(1000)[..., None]
low = high[:, ::2, ::2]
low_tr, high_tr, low_te, high_te = low[:800], high[:800], low[800:], high[800:]

keras.utils.set_random_seed(2)
model = keras.Sequential([
    keras.Input((6, 6, 1)),
    layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="tanh",
                           kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Conv2D(1, 1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), loss="mse")
history = model.fit(low_tr, high_tr, batch_size=40, epochs=15, shuffle=True, verbose=0)
for e, v in enumerate(history.history["loss"]):
    print(f"epoch {e} mse {v:.5f}")
print(f"test mse {model.evaluate(low_te, high_te, verbose=0):.5f}")
