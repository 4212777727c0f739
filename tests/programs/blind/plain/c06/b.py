"""Stripe directions: convnet with BatchNormalization, compile() and fit()."""
import keras
import numpy as np
from keras import layers

SEED = 21
keras.utils.set_random_seed(SEED)


def stripes(n, rng):
    label = rng.integers(0, 4, n)
    theta = label * np.pi / 4 + 0.12 * rng.standard_normal(n)
    freq, phase = rng.uniform(0.8, 1.4, n), rng.uniform(0, 2 * np.pi, n)
    i, j = np.meshgrid(np.arange(12), np.arange(12), indexing="ij")
    arg = (np.cos(theta)[:, None, None] * i + np.sin(theta)[:, None, None] * j)
    x = np.sin(freq[:, None, None] * arg + phase[:, None, None]) + 0.8 * rng.standard_normal((n, 12, 12))
    return x[..., None].astype("float32"), label.astype("int32")


rng = np.random.default_rng(8)
x_train, y_train = stripes(800, rng)
x_test, y_test = stripes(400, rng)


def build():
    reg = keras.regularizers.L2(5e-4)
    inputs = keras.Input((12, 12, 1))
    x = layers.Conv2D(12, 3, padding="same", use_bias=False, kernel_regularizer=reg)(inputs)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(24, 3, padding="same", use_bias=False, kernel_regularizer=reg)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(4, kernel_regularizer=reg)(x))


model = build()
schedule = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=60, decay_rate=0.6, staircase=True)
model.compile(
    optimizer=keras.optimizers.SGD(schedule, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(x_train, y_train, batch_size=48, epochs=10, verbose=0)
for i, value in enumerate(history.history["loss"]):
    print(f"epoch {i + 1:2d}  loss {value:.4f}")

logits = model.predict(x_test, batch_size=100, verbose=0)
logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
print(f"test loss {-logp[np.arange(len(y_test)), y_test].mean():.4f}  "
      f"test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
