"""Noisy regression, Keras."""
import keras
import numpy as np

rng = np.random.default_rng(2024)
X = rng.normal(size=(600, 12)).astype("float32")
w = rng.normal(size=12)
target = np.tanh(X @ w / 3.0) + 0.5 * X[:, 0] * X[:, 1] + 0.4 * rng.normal(size=600)
y = target.astype("float32")[:, None]
X_train, y_train, X_val, y_val = X[:400], y[:400], X[400:], y[400:]

keras.utils.set_random_seed(17)
model = keras.Sequential([
    keras.Input(shape=(12,)),
    keras.layers.Dense(64, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    keras.layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=0.05, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss="mean_squared_error",
)
hist = model.fit(X_train, y_train, batch_size=40, epochs=60, shuffle=True, verbose=0)
for e in range(9, 60, 10):
    print(f"epoch {e + 1}: train mse {hist.history['loss'][e]:.5f}")
print(f"validation mse {model.evaluate(X_val, y_val, batch_size=200, verbose=0):.5f}")
