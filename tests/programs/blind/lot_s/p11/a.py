import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(71)


WINDOW = 24


def make_data(length=1100):
    rng = np.random.default_rng(3)
    s = np.zeros(length)
    noise = rng.normal(size=length)
    for t in range(12, length):
        s[t] = 0.55 * s[t - 1] - 0.5 * s[t - 6] + 0.3 * np.tanh(2 * s[t - 12]) + 0.35 * noise[t]
    s = ((s - s.mean()) / s.std()).astype("float32")
    x = np.stack([s[i:i + WINDOW] for i in range(length - WINDOW)])[..., None]
    return x, s[WINDOW:, None]


x, y = make_data()
x_train, y_train, x_test, y_test = x[:864], y[:864], x[864:], y[864:]

model = keras.Sequential([
    keras.Input((WINDOW, 1)),
    layers.GRU(20, reset_after=True, kernel_initializer="glorot_uniform",
               recurrent_initializer="orthogonal", bias_initializer="zeros"),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(optimizer=keras.optimizers.Adam(learning_rate=5e-3, epsilon=1e-12),
              loss=keras.losses.MeanSquaredError())
model.fit(x_train, y_train, batch_size=48, epochs=12, shuffle=True, verbose=2,
          validation_data=(x_test, y_test))
