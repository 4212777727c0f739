"""Transfer learning: pretrain on one family of textures, freeze, train a new head, fine-tune.
Everything with compile() and fit()."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(1)


def stripes(n, classes, first_angle, seed):
    """Noisy 12x12 gratings; the class is the angle of the stripes."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:12, 0:12]
    y = rng.integers(0, classes, n)
    x = np.empty((n, 12, 12, 1), dtype="float32")
    for i in range(n):
        angle = first_angle + np.pi * y[i] / classes + rng.normal(0, 0.12)
        phase = rng.uniform(0, 2 * np.pi)
        wave = np.sin(1.5 * (np.cos(angle) * xx + np.sin(angle) * yy) + phase)
        x[i, :, :, 0] = wave + rng.normal(0, 1.1, (12, 12))
    return x, y.astype("int32")


x_src, y_src = stripes(960, 6, 0.0, seed=21)
x_tgt, y_tgt = stripes(640, 4, 0.3, seed=22)
x_new, y_new, x_test, y_test = x_tgt[:240], y_tgt[:240], x_tgt[240:], y_tgt[240:]

base = keras.Sequential(
    [
        keras.Input((12, 12, 1)),
        layers.Conv2D(12, 3, use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
    ],
    name="base",
)


def loss():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# 1. source task
source = keras.Sequential([base, layers.Dense(6)])
source.compile(keras.optimizers.Adam(3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7), loss(), metrics=["accuracy"])
source.fit(x_src, y_src, batch_size=48, epochs=8, shuffle=True, verbose=2)

# 2. new head on the frozen base
base.trainable = False
inputs = keras.Input((12, 12, 1))
outputs = layers.Dense(4)(base(inputs, training=False))
target = keras.Model(inputs, outputs)
target.compile(keras.optimizers.Adam(1e-2, beta_1=0.9, beta_2=0.999, epsilon=1e-7), loss(), metrics=["accuracy"])
target.fit(x_new, y_new, batch_size=24, epochs=12, shuffle=True, verbose=2)
print("head only:", target.evaluate(x_test, y_test, verbose=0))

# 3. fine-tuning with a small rate; the normalisation layers stay frozen, in inference mode
base.trainable = True
for layer in base.layers:
    layer.trainable = not isinstance(layer, layers.BatchNormalization)
target.compile(keras.optimizers.Adam(5e-4, beta_1=0.9, beta_2=0.999, epsilon=1e-7), loss(), metrics=["accuracy"])
target.fit(x_new, y_new, batch_size=24, epochs=8, shuffle=True, verbose=2)
print("fine-tuned:", target.evaluate(x_test, y_test, verbose=0))
