"""Denoising autoencoder on small synthetic images."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(50)


def images(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:16, 0:16]
    cx, cy = rng.uniform(3, 13, (2, n, 1, 1))
    r = rng.uniform(2, 5, (n, 1, 1))
    square = rng.random((n, 1, 1)) < 0.5
    dist = np.where(square, np.maximum(abs(xx - cx), abs(yy - cy)), np.hypot(xx - cx, yy - cy))
    clean = 1.0 / (1.0 + np.exp(3.0 * (dist - r)))
    noisy = clean + rng.normal(0, 0.4, clean.shape)
    return noisy[..., None].astype("float32"), clean[..., None].astype("float32")


noisy, clean = images(900, 0)
noisy_test, clean_test = images(200, 1)

net = keras.Sequential([
    keras.Input((16, 16, 1)),
    layers.Conv2D(8, 3, strides=2, padding="same", activation="elu"),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="elu"),
    layers.UpSampling2D(2, interpolation="nearest"),
    layers.Conv2D(8, 3, padding="same", activation="elu"),
    layers.UpSampling2D(2, interpolation="nearest"),
    layers.Conv2D(8, 3, padding="same", activation="elu"),
    layers.Conv2D(1, 3, padding="same"),
])
huber = keras.losses.Huber(delta=0.5)
rate = keras.optimizers.schedules.ExponentialDecay(5e-3, decay_steps=30, decay_rate=0.8, staircase=True)
opt = keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = huber(y, net(x, training=True))
    opt.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss


batches = tf.data.Dataset.from_tensor_slices((noisy, clean)).batch(30)
for epoch in range(8):
    total = 0.0
    for xb, yb in batches:
        total += float(step(xb, yb)) / 30
    print(f"{epoch} {total:.5f}")

restored = net(noisy_test, training=False)
print(f"test huber {float(huber(clean_test, restored)):.5f}")
print(f"test mse   {float(np.mean((restored - clean_test) ** 2)):.5f}")
