import numpy as np
import keras
from keras import layers

STEPS, UNITS = 20, 24


def walks(n, rng):
    """Noisy two-dimensional walks whose slow rotation gives the class."""
    label = rng.integers(0, 3, size=n)
    omega = np.array([-0.1, 0.0, 0.1])[label] + 0.02 * rng.normal(size=n)
    angle = rng.uniform(-0.6, 0.6, size=n)[:, None] + omega[:, None] * np.arange(STEPS)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=2)
    x = x + 0.4 * rng.normal(size=x.shape)
    return x.astype("float32"), label


rng = np.random.default_rng(63)
x_train, y_train = walks(960, rng)
x_test, y_test = walks(400, rng)

keras.utils.set_random_seed(19)
model = keras.Sequential([
    keras.Input((STEPS, 2)),
    layers.GRU(UNITS, activation="tanh", recurrent_activation="sigmoid", reset_after=True,
               kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
               bias_initializer="zeros"),
    layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")])
history = model.fit(x_train, y_train, batch_size=32, epochs=10, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch:2d}: loss {loss:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=32, verbose=0)
print(f"test: loss {loss:.4f} accuracy {acc:.4f}")
