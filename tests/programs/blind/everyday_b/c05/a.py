"""Next-hour electricity load with an LSTM (Keras)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(8)

WINDOW = 24


def load_curve(hours, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    daily = np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(4 * np.pi * t / 24 + 1.0)
    weekly = 0.5 * (np.sin(2 * np.pi * t / 168) > 0.3)
    ar = np.zeros(hours)
    for i in range(1, hours):
        ar[i] = 0.9 * ar[i - 1] + rng.normal(0, 0.08)
    temperature = 0.5 * np.sin(2 * np.pi * (t - 6) / 24) + rng.normal(0, 0.2, hours)
    load = daily + weekly + ar - 0.3 * temperature
    return load, temperature


load, temperature = load_curve(1300, seed=99)
load = (load - load[:1000].mean()) / load[:1000].std()
series = np.stack([load, temperature], axis=1).astype("float32")
windows = np.stack([series[i : i + WINDOW] for i in range(len(series) - WINDOW)])
targets = series[WINDOW:, 0:1]
x_train, y_train = windows[:980], targets[:980]
x_test, y_test = windows[980:], targets[980:]

model = keras.Sequential(
    [
        keras.Input((WINDOW, 2)),
        layers.LSTM(24),
        layers.Dense(1),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=5e-3, epsilon=1e-12, clipvalue=0.1),
    loss=keras.losses.Huber(delta=1.0),
)

# ---- training
model.fit(x_train, y_train, batch_size=49, epochs=12, shuffle=True, verbose=2)

print("test huber %.5f" % model.evaluate(x_test, y_test, verbose=0))
forecast = model.predict(x_test, verbose=0)
print("test mae %.5f" % np.abs(forecast - y_test).mean())
print("naive mae %.5f" % np.abs(x_test[:, -1, 0:1] - y_test).mean())
