"""Frequency and phase-shift regression from two noisy channels; Keras, gradient accumulation of the optimizer."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(2)


def signals(n, seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 64)
    freq = rng.uniform(2, 8, size=(n, 1))
    lag = rng.uniform(0, np.pi, size=(n, 1))
    ph = rng.uniform(0, 2 * np.pi, size=(n, 1))
    a = np.sin(2 * np.pi * freq * t + ph)
    b = np.sin(2 * np.pi * freq * t + ph + lag)
    x = np.stack([a, b], axis=-1) + 0.1 * rng.normal(size=(n, 64, 2))
    y = np.concatenate([(freq - 5) / 1.73, (lag - np.pi / 2) / 0.9], axis=1)
    return x.astype(np.float32), y.astype(np.float32)


x_train, y_train = signals(1024, 40)
x_test, y_test = signals(320, 41)

model = keras.Sequential([
    keras.Input((64, 2)),
    layers.Conv1D(12, 5, padding="valid", activation="relu"),
    layers.MaxPooling1D(2),
    layers.Conv1D(20, 3, padding="valid", activation="relu"),
    layers.GlobalAveragePooling1D(),
    layers.Dense(24, activation="tanh"),
    layers.Dense(2),
])
opt = keras.optimizers.Adagrad(learning_rate=0.08, initial_accumulator_value=0.1, epsilon=1e-12,
                               gradient_accumulation_steps=4)
model.compile(optimizer=opt, loss=keras.losses.Huber(delta=0.5))
hist = model.fit(x_train, y_train, batch_size=32, epochs=18, shuffle=True, verbose=0)
for e, v in enumerate(hist.history["loss"], 1):
    print(f"epoch {e} huber {v:.5f}")
print("test huber %.5f" % model.evaluate(x_test, y_test, batch_size=64, verbose=0))
