import numpy as np
import keras

keras.utils.set_random_seed(3)

rng = np.random.default_rng(77)
state = rng.standard_normal((1100, 6)).astype(np.float32)
value = np.sin(1.5 * state[:, 0]) + 0.5 * np.abs(state[:, 2]) - 0.4 * state[:, 3]
value = (value - value.mean() + 0.1 * rng.standard_normal(1100)) * 0.05
value = value.astype(np.float32)[:, None]

critic = keras.Sequential([
    keras.Input((6,)),
    keras.layers.Dense(32, activation="tanh"),
    keras.layers.Dense(32, activation="tanh"),
    keras.layers.Dense(1, kernel_initializer="zeros"),
])
critic.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-3, rho=0.99, momentum=0.0, epsilon=1e-5),
    loss=keras.losses.MeanSquaredError())
critic.fit(state[:900], value[:900], batch_size=50, epochs=30, shuffle=True, verbose=0)

for name, s, v in (("train", state[:900], value[:900]), ("test", state[900:], value[900:])):
    err = critic.predict(s, verbose=0) - v
    print(f"{name}: explained variance {1 - np.mean(err ** 2) / np.mean(v ** 2):.4f}")
