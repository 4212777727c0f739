"""Forecast the next hour of a seasonal series with an LSTM, Keras."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(3)
WINDOW, EPOCHS, BATCH = 24, 8, 32

# data
rng = np.random.RandomState(1)
t = np.arange(1300)
series = (np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 168)
          + 0.3 * np.cos(2 * np.pi * t / 12) + 0.1 * rng.randn(len(t)))
series = ((series - series[:1000].mean()) / series[:1000].std()).astype("float32")
windows = np.stack([series[i:i + WINDOW] for i in range(len(series) - WINDOW)])[..., None]
targets = series[WINDOW:][:, None]
x_train, y_train = windows[:1000], targets[:1000]
x_test, y_test = windows[1000:], targets[1000:]

model = keras.Sequential([
    keras.Input((WINDOW, 1)),
    layers.LSTM(24, kernel_initializer="glorot_uniform",
                recurrent_initializer="orthogonal",
                bias_initializer="zeros", unit_forget_bias=True),
    layers.Dense(12, activation="tanh"),
    layers.Dense(1),
])
steps = EPOCHS * int(np.ceil(len(x_train) / BATCH))
schedule = keras.optimizers.schedules.CosineDecay(5e-3, decay_steps=steps, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.Huber(delta=1.0),
)

# training
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
          validation_data=(x_test, y_test), verbose=2)
error = model.predict(x_test, verbose=0) - y_test
print("test mae %.4f" % np.abs(error).mean())
