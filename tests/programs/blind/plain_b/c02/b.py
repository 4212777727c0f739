import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(86)

# --- one-step-ahead forecasting of a noisy two-tone signal -------------------
rng = np.random.default_rng(31)
t = np.arange(1400)
signal = np.sin(0.21 * t) + 0.5 * np.sin(0.067 * t + 0.8) + 0.08 * rng.standard_normal(len(t))
signal = signal.astype("float32")

WINDOW = 20
windows = np.stack([signal[i:i + WINDOW] for i in range(len(signal) - WINDOW)])[..., None]
targets = signal[WINDOW:][:, None]
x_train, y_train = windows[:1100], targets[:1100]
x_test, y_test = windows[1100:], targets[1100:]

# --- model ------------------------------------------------------------------
model = keras.Sequential([
    keras.Input(shape=(WINDOW, 1)),
    layers.GRU(20),
    layers.Dense(12, activation="elu"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=2e-3, rho=0.9),
    loss=keras.losses.Huber(delta=0.5),
    metrics=["mae"],
)
model.fit(x_train, y_train, batch_size=32, epochs=8, verbose=2)

huber, mae = model.evaluate(x_test, y_test, batch_size=256, verbose=0)
print(f"test huber {huber:.5f}  mae {mae:.5f}")
