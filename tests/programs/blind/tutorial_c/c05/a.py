"""Transfer learning: features learnt on stripes, reused (frozen) for crosses.

Keras, compile/fit for both stages.
"""
import keras
import numpy as np
from keras import layers

SIDE = 16


def stripes(angle, rng):
    yy, xx = np.mgrid[:SIDE, :SIDE]
    wave = rng.uniform(3.5, 5.5)
    phase = rng.uniform(0, 2 * np.pi)
    return np.sin(2 * np.pi * (xx * np.cos(angle) + yy * np.sin(angle)) / wave + phase)


def make_data():
    rng = np.random.default_rng(321)
    angles = np.deg2rad([0, 45, 90, 135])
    ys = rng.integers(0, 4, 800)
    xs = np.stack([stripes(angles[k], rng) for k in ys])
    pairs = [(0, 2), (1, 3), (0, 1)]
    yt = rng.integers(0, 3, 500)
    xt = np.stack([0.5 * (stripes(angles[pairs[k][0]], rng) + stripes(angles[pairs[k][1]], rng))
                   for k in yt])
    xs = xs + 0.6 * rng.standard_normal(xs.shape)
    xt = xt + 0.6 * rng.standard_normal(xt.shape)
    xs, xt = xs[..., None].astype("float32"), xt[..., None].astype("float32")
    return xs, ys, xt[:300], yt[:300], xt[300:], yt[300:]


keras.utils.set_random_seed(6)
xs, ys, xt, yt, xv, yv = make_data()

base = keras.Sequential([
    keras.Input((SIDE, SIDE, 1)),
    layers.Conv2D(8, 5, padding="same", use_bias=False),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-4),
    layers.ReLU(),
    layers.MaxPooling2D(2),
    layers.Conv2D(16, 3, padding="same", use_bias=False),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-4),
    layers.ReLU(),
    layers.GlobalAveragePooling2D(),
], name="base")


def rmsprop(lr):
    return keras.optimizers.RMSprop(learning_rate=lr, rho=0.9, momentum=0.0, epsilon=1e-7,
                                    centered=False)


ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

# stage 1: everything is trained on the four directions of stripes
source = keras.Sequential([base, layers.Dense(4)])
source.compile(optimizer=rmsprop(2e-3), loss=ce, metrics=["sparse_categorical_accuracy"])
source.fit(xs, ys, batch_size=40, epochs=6, shuffle=True, verbose=2)

# stage 2: the base is frozen, a new head learns the pairs of directions
base.trainable = False
target = keras.Sequential([base, layers.Dense(24, activation="relu"), layers.Dense(3)])
target.compile(optimizer=rmsprop(5e-3), loss=ce, metrics=["sparse_categorical_accuracy"])
target.fit(xt, yt, batch_size=30, epochs=15, shuffle=True, verbose=2)
loss, acc = target.evaluate(xv, yv, verbose=0)
print(f"target task: test loss {loss:.4f} accuracy {acc:.4f}")
