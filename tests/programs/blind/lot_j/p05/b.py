import keras
import numpy as np
from keras.layers import Dense, Input


def make_counts(seed=31, n=1600):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    log_rate = 0.9 + 0.5 * x[:, 0] - 0.4 * x[:, 1] * x[:, 2] + 0.3 * np.sin(2 * x[:, 3])
    y = rng.poisson(np.exp(np.clip(log_rate, -3, 3))).astype(np.float32)
    return x, y.reshape(-1, 1)


x, y = make_counts()
n_train = 1280

keras.utils.set_random_seed(62)
model = keras.Sequential([
    Input((6,)),
    Dense(40, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    Dense(20, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    Dense(1, activation="softplus", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    loss=keras.losses.Poisson(),
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
    metrics=["mae"],
)
model.fit(x[:n_train], y[:n_train], batch_size=64, epochs=20, shuffle=True,
          validation_data=(x[n_train:], y[n_train:]), verbose=2)
rate = model.predict(x[n_train:], verbose=0)
print(f"mean_rate={rate.mean():.3f} mean_count={y[n_train:].mean():.3f}")
