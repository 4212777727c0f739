"""Predict the inflow of water on a coarse grid from a height map."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(2)
SIZE, N_TRAIN, N_TEST = 16, 800, 200


def terrain():
    rng = np.random.default_rng(77)
    h = rng.normal(size=(N_TRAIN + N_TEST, SIZE, SIZE))
    smooth = h + 0.5 * (np.roll(h, 1, axis=1) + np.roll(h, -1, axis=1)
                        + np.roll(h, 1, axis=2) + np.roll(h, -1, axis=2))
    h = smooth / smooth.std()
    upper, left = np.zeros_like(h), np.zeros_like(h)
    upper[:, 1:] = h[:, :-1] - h[:, 1:]
    left[:, :, 1:] = h[:, :, :-1] - h[:, :, 1:]
    inflow = np.maximum(upper, 0.0) + np.maximum(left, 0.0)
    y = inflow[:, ::2, ::2]
    return h.astype(np.float32), y.astype(np.float32)


h, y = (v[..., None] for v in terrain())
init = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input((SIZE, SIZE, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", **init),
    layers.Conv2D(16, 1, activation="relu", **init),
    layers.Conv2D(1, 1, **init),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False),
    loss=keras.losses.MeanSquaredError(),
)
hist = model.fit(h[:N_TRAIN], y[:N_TRAIN], batch_size=32, epochs=12, shuffle=True, verbose=0)
for e, v in enumerate(hist.history["loss"]):
    print(f"epoch {e + 1}: mse {v:.4f}")
print(f"test mse {model.evaluate(h[N_TRAIN:], y[N_TRAIN:], batch_size=200, verbose=0):.4f}")
