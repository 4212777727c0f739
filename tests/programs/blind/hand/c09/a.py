"""Counts from sequences of unequal length: masked GRU with a Poisson loss, Keras fit and Lion."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(9)

T, F, UNITS = 15, 4, 24


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((n, T, F), dtype="float32")
    lengths = rng.integers(5, T + 1, size=n)
    rate = np.zeros(n)
    for i, length in enumerate(lengths):
        part = rng.normal(size=(length, F))
        x[i, :length] = part
        state = 0.0
        for row in part:
            state = 0.8 * state + 0.35 * np.tanh(row[0] + 0.5 * row[1])
        rate[i] = np.exp(0.6 + state)
    return x, rng.poisson(rate).astype("float32")[:, None]


x_train, y_train = make_data(1200, 40)
x_test, y_test = make_data(400, 41)

model = keras.Sequential([
    keras.Input((T, F)),
    layers.Masking(mask_value=0.0),
    layers.GRU(UNITS),
    layers.Dense(1, activation="exponential"),
])
model.compile(
    optimizer=keras.optimizers.Lion(learning_rate=1e-3, beta_1=0.9, beta_2=0.99, weight_decay=0.05),
    loss=keras.losses.Poisson(),
)
history = model.fit(x_train, y_train, batch_size=64, epochs=15, shuffle=True, verbose=0)
print("first and last epoch:", history.history["loss"][0], history.history["loss"][-1])
print(f"test loss {model.evaluate(x_test, y_test, batch_size=64, verbose=0):.5f}")
rate = model.predict(x_test, batch_size=64, verbose=0)
print(f"correlation {np.corrcoef(rate[:, 0], y_test[:, 0])[0, 1]:.4f}")
