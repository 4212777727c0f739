import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(2)
n, T = 1200, 24
t = np.arange(T) / T
slope = rng.uniform(-1, 1, size=(n, 1))
phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
base = rng.uniform(284, 292, size=(n, 1))  # kelvin
X = base + 1.5 * np.sin(2 * np.pi * t + phase) + 1.5 * slope * (t - 0.5) + 0.1 * rng.normal(size=(n, T))
y = np.sin(phase) + slope
X, y = X.astype("float32"), y.astype("float32")
Xtr, ytr, Xte, yte = X[:1000], y[:1000], X[1000:], y[1000:]

keras.config.set_dtype_policy("mixed_bfloat16")
keras.utils.set_random_seed(0)

inputs = keras.Input((24,))
h = layers.Rescaling(scale=1.0 / 8.0, offset=-36.0)(inputs)
h = layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
outputs = layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
net = keras.Model(inputs, outputs)

net.compile(optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
            loss=keras.losses.MeanSquaredError())
hist = net.fit(Xtr, ytr, batch_size=50, epochs=15, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print(i + 1, "train mse", v)

pred = np.asarray(net.predict(Xte, verbose=0)).astype("float32")
print("test mse", float(np.mean((pred - yte) ** 2)))
