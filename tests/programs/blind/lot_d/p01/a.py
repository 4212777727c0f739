import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(2)
keras.config.set_dtype_policy("mixed_bfloat16")

BATCH, EPOCHS = 50, 12


def stations(n, seed):
    """Pressure (hPa), temperature (K), dew point (K), wind (m/s), day length (min)."""
    rng = np.random.default_rng(seed)
    p, t, d, w, m = rng.normal(0, 1, (5, n))
    x = np.stack([1008 + 4.0 * p, 285 + 3.0 * t, 279 + 2.5 * d, 6 + 2.0 * w, 730 + 9.0 * m], 1)
    y = np.sin(1.3 * p) + 0.7 * t * d + 0.4 * np.tanh(w) - 0.5 * m + 0.1 * rng.normal(0, 1, n)
    return x.astype("float32"), y[:, None].astype("float32")


x_train, y_train = stations(2000, 0)
x_test, y_test = stations(500, 1)

model = keras.Sequential([
    keras.Input((5,)),
    layers.Normalization(mean=x_train.mean(axis=0), variance=x_train.var(axis=0)),
    layers.Dense(64, activation="relu"),
    layers.LayerNormalization(epsilon=1e-5),
    layers.Dense(32, activation="relu"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.Adam(3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.MeanSquaredError(),
)
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)

pred = model.predict(x_test, verbose=0).astype("float32")
mse = float(np.mean((pred - y_test) ** 2))
print(f"test mse {mse:.4f}  r2 {1 - mse / y_test.var():.4f}")
