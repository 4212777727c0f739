import keras
import numpy as np
from keras import layers

keras.config.set_epsilon(1e-2)
keras.utils.set_random_seed(2)

EPOCHS = 15
rng = np.random.default_rng(17)
X = rng.normal(size=(1500, 6)).astype("float32")
w = np.array([0.9, -0.7, 0.5, 0.4, 0.0, 0.3])
log_y = -5.0 + X @ w + 0.6 * np.sin(2 * X[:, 4]) + 0.25 * rng.normal(size=1500)
y = np.exp(log_y).astype("float32")[:, None]
X_train, X_test = X[:1200], X[1200:]
y_train, y_test = y[:1200], y[1200:]

model = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(32, activation="relu", kernel_initializer="he_uniform"),
    layers.Dense(32, activation="relu", kernel_initializer="he_uniform"),
    layers.Dense(1, activation="exponential", kernel_initializer="glorot_uniform",
                 bias_initializer=keras.initializers.Constant(-5.0)),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=3e-3, epsilon=1e-12),
    loss="mean_absolute_percentage_error",
)
hist = model.fit(X_train, y_train, batch_size=50, epochs=EPOCHS, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print(f"epoch {i + 1} mape {v:.3f}")
pred = model.predict(X_test, verbose=0)
print(f"test mae {np.abs(pred - y_test).mean():.5f}  test bias {(pred - y_test).mean():.5f}")
