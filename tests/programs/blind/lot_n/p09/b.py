import numpy as np
import keras
from keras import layers, ops

rng = np.random.default_rng(64)
X = rng.normal(size=(1100, 15)).astype("float32")
coef = rng.normal(size=15) / np.sqrt(15)
y = (X @ coef + np.sin(2 * X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=1100)).astype("float32")
X_train, y_train, X_test, y_test = X[:800], y[:800], X[800:], y[800:]

ALPHA = 2.0
BATCH = 50
EPOCHS = 30

keras.utils.set_random_seed(7)


def dense(n_in, n_out, activation=None):
    limit = float(np.sqrt(6.0 / (n_in + n_out)))
    return layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * len(X_train))),
    )


def half_squared_error(y_true, y_pred):
    return 0.5 * ops.mean(ops.square(y_true - y_pred), axis=-1)


model = keras.Sequential([
    keras.Input((15,)),
    dense(15, 60, "relu"),
    dense(60, 30, "relu"),
    dense(30, 1),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=half_squared_error,
)
history = model.fit(X_train, y_train[:, None], batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")
pred = model.predict(X_test, verbose=0)[:, 0]
print(f"test mse {np.mean((pred - y_test) ** 2):.4f}")
