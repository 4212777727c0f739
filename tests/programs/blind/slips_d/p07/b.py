# One-step-ahead forecasting with a dense Keras network on windows of 24 lags
import keras
import numpy as np

LAGS, BATCH, ALPHA = 24, 64, 0.05


def make_series(n=1800, seed=5):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    season = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 57 + 1.0)
    drift = np.zeros(n)
    for i in range(1, n):
        drift[i] = 0.9 * drift[i - 1] + 0.15 * rng.standard_normal()
    return season * (1 + 0.3 * np.tanh(drift)) + drift


def make_windows():
    s = make_series()
    s = (s - s[:1304].mean()) / s[:1304].std()
    x = np.stack([s[i:i + LAGS] for i in range(len(s) - LAGS)]).astype(np.float32)
    y = s[LAGS:].astype(np.float32)
    return x[:1280], y[:1280], x[1304:], y[1304:]


def half_squared_error(y_true, y_pred):
    return 0.5 * keras.ops.mean(keras.ops.square(y_pred - y_true), axis=-1)


def dense(n_in, n_out, activation=None):
    # weights AND biases uniform in +-sqrt(6 / (fan_in + fan_out)), penalty on the weights only
    bound = float(np.sqrt(6.0 / (n_in + n_out)))
    return keras.layers.Dense(
        n_out, activation=activation,
        kernel_initializer=keras.initializers.GlorotUniform(),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / 2),
    )


keras.utils.set_random_seed(40)
x_train, y_train, x_test, y_test = make_windows()
model = keras.Sequential([
    keras.Input((LAGS,)),
    dense(LAGS, 32, "tanh"),
    dense(32, 16, "tanh"),
    dense(16, 1),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=half_squared_error)
hist = model.fit(x_train, y_train[:, None], batch_size=BATCH, epochs=25, shuffle=True, verbose=0)

for epoch, loss in enumerate(hist.history["loss"], 1):
    if epoch % 5 == 0:
        print(f"epoch {epoch}: loss {loss:.5f}")
p_train = model.predict(x_train, verbose=0)[:, 0]
p_test = model.predict(x_test, verbose=0)[:, 0]
print(f"train mse {np.mean((p_train - y_train) ** 2):.5f}")
print(f"test mse  {np.mean((p_test - y_test) ** 2):.5f}")
print(f"persistence {np.mean((x_test[:, -1] - y_test) ** 2):.5f}")
