"""Regression on a nonlinear response, Keras with Adamax."""
import keras
import numpy as np

rng = np.random.default_rng(77)
X = rng.uniform(-1, 1, size=(1000, 8)).astype("float32")
y = 4.0 * np.sin(2.0 * X[:, 0]) + 3.0 * X[:, 1] * X[:, 2] + 2.0 * X[:, 3] + 0.1 * rng.normal(size=1000)
y = y.astype("float32")[:, None]

keras.utils.set_random_seed(41)
model = keras.Sequential([
    keras.Input((8,)),
    keras.layers.Dense(48, activation="tanh"),
    keras.layers.Dense(48, activation="tanh"),
    keras.layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.Adamax(learning_rate=0.02, beta_1=0.9, beta_2=0.9, epsilon=0.5),
    loss=keras.losses.MeanSquaredError(),
)
history = model.fit(X[:800], y[:800], batch_size=32, epochs=18, shuffle=True, verbose=0).history
for epoch in range(2, 18, 3):
    print(f"epoch {epoch + 1} mse {history['loss'][epoch]:.5f}")
print(f"test mse {model.evaluate(X[800:], y[800:], batch_size=200, verbose=0):.5f}")
