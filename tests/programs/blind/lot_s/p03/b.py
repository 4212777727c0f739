import numpy as np
import keras
from keras import layers, regularizers

keras.config.set_floatx("float64")
keras.utils.set_random_seed(1)


def make_data(n=720, d=8):
    rng = np.random.RandomState(12)
    X = rng.uniform(-1.5, 1.5, size=(n, d))
    y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.5 * X[:, 3] ** 2 - X[:, 4] + 0.05 * rng.normal(size=n)
    return X, (y - y.mean()) / y.std()


X, y = make_data()
X_train, y_train, X_test, y_test = X[:600], y[:600], X[600:], y[600:]

BATCH = 50
ALPHA = 0.01


def dense(fan_in, units, seed, activation=None):
    bound = np.sqrt(6.0 / (fan_in + units))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound, seed=seed + 1),
        kernel_regularizer=regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential([keras.Input((8,)), dense(8, 40, 10, "relu"), dense(40, 1, 20)])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True),
    loss="mse",
)
model.fit(X_train, y_train, batch_size=BATCH, epochs=30, shuffle=True, verbose=0)
print("train mse", np.mean((model.predict(X_train, verbose=0)[:, 0] - y_train) ** 2))
print("test mse", np.mean((model.predict(X_test, verbose=0)[:, 0] - y_test) ** 2))
