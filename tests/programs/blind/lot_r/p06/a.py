import keras
import numpy as np
from keras import layers, regularizers

rng = np.random.default_rng(19)
X = rng.standard_normal((900, 12)).astype("float32")
signal = np.sin(1.5 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * np.abs(X[:, 3]) + 0.3 * X[:, 4]
y = (signal + 0.3 * rng.standard_normal(900)).astype("float32")[:, None]
y = (y - y[:600].mean()) / y[:600].std()
X_train, y_train, X_test, y_test = X[:600], y[:600], X[600:], y[600:]

WEIGHT_DECAY = 0.02

keras.utils.set_random_seed(33)
model = keras.Sequential([
    keras.Input((12,)),
    layers.Dense(64, activation="tanh", kernel_regularizer=regularizers.L2(WEIGHT_DECAY)),
    layers.Dense(32, activation="tanh", kernel_regularizer=regularizers.L2(WEIGHT_DECAY)),
    layers.Dense(1, kernel_regularizer=regularizers.L2(WEIGHT_DECAY)),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
    loss="mse",
)
model.fit(X_train, y_train, batch_size=30, epochs=25, shuffle=True, verbose=0)

for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
    print(f"{name} mse {np.mean((model.predict(a, verbose=0) - b) ** 2):.4f}")
