import numpy as np
import keras

keras.utils.set_random_seed(8)

rng = np.random.RandomState(17)
series = np.zeros(1300)
for i in range(2, 1300):
    series[i] = 1.5 * np.tanh(1.2 * series[i - 1]) - 0.9 * series[i - 2] + 0.15 * rng.randn()
series = (series / series.std()).astype(np.float32)
window = 12
inputs = np.stack([series[i:i + window] for i in range(1300 - window)])[..., None]
targets = series[window:][:, None]
x_tr, y_tr, x_te, y_te = inputs[:1024], targets[:1024], inputs[1024:], targets[1024:]

model = keras.Sequential([
    keras.Input((window, 1)),
    keras.layers.GRU(16, reset_after=True),
    keras.layers.Dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01, epsilon=1e-12), loss="mse")
model.fit(x_tr, y_tr, batch_size=64, epochs=15, shuffle=True, verbose=0)

pred = model.predict(x_te, verbose=0)
print("naive mse %.4f" % np.mean((x_te[:, -1] - y_te) ** 2))
print("test mse %.4f" % np.mean((pred - y_te) ** 2))
