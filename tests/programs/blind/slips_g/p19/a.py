"""Classify noisy waveforms with a small 1-D convnet (Keras fit)."""
import numpy as np
import keras
from keras import layers

SEED = 3
keras.utils.set_random_seed(SEED)


def waves(n, rng):
    t = np.linspace(0, 1, 64)[None, :]
    label = rng.integers(0, 3, n)
    freq = rng.uniform(2, 5, (n, 1))
    phase = rng.uniform(0, 1, (n, 1))
    u = (freq * t + phase) % 1.0
    kinds = np.stack([np.sin(2 * np.pi * u), np.sign(u - 0.5), 2 * u - 1])
    x = kinds[label, np.arange(n)] + 0.4 * rng.standard_normal((n, 64))
    return x[..., None].astype("float32"), np.eye(3, dtype="float32")[label]


rng = np.random.default_rng(2024)
x_train, y_train = waves(900, rng)
x_test, y_test = waves(300, rng)

model = keras.Sequential([
    keras.Input((64, 1)),
    layers.Conv1D(16, 7, padding="same", activation="relu"),
    layers.MaxPooling1D(2),
    layers.Conv1D(32, 5, padding="same", activation="relu"),
    layers.GlobalMaxPooling1D(),
    layers.Dropout(0.25),
    layers.Dense(3),
])
model.compile(
    optimizer=keras.optimizers.Nadam(learning_rate=2e-3),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(x_train, y_train, batch_size=32, epochs=10, verbose=0)
for i, (l, a) in enumerate(zip(history.history["loss"], history.history["accuracy"])):
    print(f"epoch {i + 1:2d}  loss {l:.4f}  accuracy {a:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=100, verbose=0)
print(f"test loss {loss:.4f}  test accuracy {acc:.4f}")
