"""House price regressor (Keras)."""
import keras
import numpy as np
from keras import layers, regularizers

keras.utils.set_random_seed(3)

BATCH_SIZE = 64
EPOCHS = 25


def make_houses(n, seed):
    rng = np.random.default_rng(seed)
    area = rng.gamma(6.0, 18.0, n)
    rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 9)
    age = rng.uniform(0, 90, n)
    dist = rng.exponential(6.0, n)
    floor = rng.integers(0, 8, n)
    garden = rng.integers(0, 2, n)
    income = rng.normal(40, 9, n)
    noise = rng.normal(0, 12, n)
    price = (
        1.9 * area + 8 * rooms - 0.9 * age + 0.008 * age**2 - 25 * np.log1p(dist)
        + 14 * garden * (dist > 4) + 0.02 * income * area + noise
    )
    feats = np.stack([area, rooms, age, dist, floor, garden, income], axis=1)
    return feats, price


feats, price = make_houses(1300, seed=2024)
n_train = 1000
mu, sd = feats[:n_train].mean(0), feats[:n_train].std(0)
y_mu, y_sd = price[:n_train].mean(), price[:n_train].std()
X = ((feats - mu) / sd).astype("float32")
y = ((price - y_mu) / y_sd).astype("float32")[:, None]
X_train, y_train = X[:n_train], y[:n_train]
X_test, y_test = X[n_train:], y[n_train:]

model = keras.Sequential(
    [
        keras.Input((X.shape[1],)),
        layers.Dense(64, activation="relu", kernel_regularizer=regularizers.L2(1e-4)),
        layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(1e-4)),
        layers.Dense(1),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss="mse",
)

# ---- training
history = model.fit(X_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
for epoch in range(4, EPOCHS, 5):
    print(f"epoch {epoch + 1}: loss {history.history['loss'][epoch]:.4f}")

pred = model.predict(X_test, verbose=0)
mse = float(np.mean((pred - y_test) ** 2))
print(f"test mse {mse:.4f}  rmse in thousands {np.sqrt(mse) * y_sd:.2f}")
