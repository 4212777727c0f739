import keras
import numpy as np
from keras import layers, regularizers

keras.utils.set_random_seed(14)

L2 = 0.02
EPOCHS, BATCH = 40, 25

rng = np.random.RandomState(64)
X = rng.randn(800, 30).astype(np.float32)
w = rng.randn(30) * (rng.rand(30) < 0.3)
y = (np.tanh(X @ w) + 0.5 * X[:, 0] * X[:, 1] + 0.5 * rng.randn(800)).astype(np.float32)[:, None]
X_train, y_train, X_test, y_test = X[:300], y[:300], X[300:], y[300:]


def dense(units, activation=None):
    return layers.Dense(units, activation=activation, kernel_initializer="he_uniform",
                        kernel_regularizer=regularizers.L2(L2))


model = keras.Sequential([keras.Input((30,)), dense(64, "relu"), dense(32, "relu"), dense(1)])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9), loss="mean_squared_error")
model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)

for name, xs, ys in (("train mse", X_train, y_train), ("test mse ", X_test, y_test)):
    print(name, round(float(np.mean((model.predict(xs, verbose=0) - ys) ** 2)), 4))
