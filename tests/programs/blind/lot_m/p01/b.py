import numpy as np
import keras
from keras import layers, regularizers

rng = np.random.default_rng(11)
X = rng.normal(size=(1000, 8)).astype("float32")
y = 30.0 + 2.0 * np.sin(X[:, 0]) + 1.5 * X[:, 1] - 0.5 * X[:, 2] * X[:, 3] + 0.3 * rng.normal(size=1000)
y = y.astype("float32").reshape(-1, 1)
Xtr, ytr, Xte, yte = X[:800], y[:800], X[800:], y[800:]

keras.utils.set_random_seed(3)
model = keras.Sequential([
    keras.Input((8,)),
    layers.Dense(8, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 kernel_regularizer=regularizers.L2(0.025)),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 kernel_regularizer=regularizers.L2(0.025)),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
              loss="mean_squared_error", metrics=["mean_squared_error"])
hist = model.fit(Xtr, ytr, batch_size=40, epochs=20, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["mean_squared_error"]):
    print(f"epoch {i + 1:2d}  mse {v:.4f}")

pred = model.predict(Xte, verbose=0)
print("test mse", float(np.mean((pred - yte) ** 2)))
