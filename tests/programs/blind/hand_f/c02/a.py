"""Keras: an LSTM reads two noisy channels and predicts a delayed product."""
import numpy as np
import keras


def make_data(n, rng, steps=20):
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    freq = rng.uniform(0.15, 0.6, (n, 1))
    t = np.arange(steps)[None, :]
    first = np.sin(freq * t + phase)
    second = rng.normal(0, 0.7, (n, steps))
    x = np.stack([first + rng.normal(0, 0.05, (n, steps)), second], axis=-1)
    target = np.sin(freq[:, 0] * (steps + 1) + phase[:, 0]) + 0.5 * second[:, -3]
    return x.astype("float32"), target[:, None].astype("float32")


rng = np.random.default_rng(11)
x_train, y_train = make_data(960, rng)
x_test, y_test = make_data(240, rng)

keras.utils.set_random_seed(5)
model = keras.Sequential(
    [
        keras.Input((20, 2)),
        keras.layers.LSTM(24),
        keras.layers.Dense(1),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.MeanSquaredError(),
)

# ---- training
history = model.fit(x_train, y_train, batch_size=32, epochs=8, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch}: train mse {value:.4f}")
print(f"test mse {model.evaluate(x_test, y_test, batch_size=240, verbose=0):.4f}")
