import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

EPOCHS = 12
SIZE = 9


def images(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:SIZE, :SIZE]
    img = 0.05 * rng.normal(size=(n, SIZE, SIZE))
    total = np.zeros(n)
    for _ in range(3):
        cy, cx = rng.integers(0, SIZE, n), rng.integers(0, SIZE, n)
        amp = rng.uniform(0.0, 2.0, n)
        dist = np.abs(yy[None] - cy[:, None, None]) + np.abs(xx[None] - cx[:, None, None])
        img += amp[:, None, None] * (dist == 0)
        total += amp
    return img[..., None].astype("float32"), (total[:, None] - 3.0).astype("float32")


x_train, y_train = images(1000, 1)
x_val, y_val = images(300, 2)

keras.utils.set_random_seed(77)
model = keras.Sequential([
    keras.Input((SIZE, SIZE, 1)),
    layers.AveragePooling2D(3, strides=1, padding="same"),
    layers.Conv2D(12, 1, activation="relu", kernel_initializer="he_uniform"),
    layers.AveragePooling2D(3, strides=2, padding="same"),
    layers.Conv2D(24, 1, activation="relu", kernel_initializer="he_uniform"),
    layers.AveragePooling2D(3, strides=2, padding="same"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(5e-3, epsilon=1e-12), loss="mse")
log = model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=40,
                epochs=EPOCHS, verbose=0)
for i in range(EPOCHS):
    print(f"epoch {i + 1} loss {log.history['loss'][i]:.4f} val {log.history['val_loss'][i]:.4f}")
