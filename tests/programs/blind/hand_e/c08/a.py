"""Event counts from a short signal: 1-D convnet, Poisson loss, warm-up + cosine, clipping (Keras fit)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(17)
EPOCHS, BATCH = 20, 48


def make_data(n=900, seed=8):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 24, 3))
    x[:, :, 0] = np.cumsum(x[:, :, 0], axis=1) / 3.0
    slope = x[:, -6:, 0].mean(1) - x[:, :6, 0].mean(1)
    burst = np.maximum(x[:, :, 1] + x[:, :, 2] - 1.0, 0).mean(1)
    rate = np.exp(np.clip(0.4 + 0.5 * slope + 1.5 * burst, -2.0, 2.5))
    return x.astype("float32"), rng.poisson(rate).astype("float32")[:, None]


x, y = make_data()
x_train, y_train, x_test, y_test = x[:700], y[:700], x[700:], y[700:]

model = keras.Sequential([
    layers.Input((24, 3)),
    layers.Conv1D(16, 5, padding="same", activation="swish",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.LayerNormalization(axis=-1, epsilon=1e-3),
    layers.Conv1D(16, 3, strides=2, padding="same", activation="swish",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Flatten(),
    layers.Dense(1, activation="exponential",
                 kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
schedule = keras.optimizers.schedules.CosineDecay(
    initial_learning_rate=0.0, decay_steps=260, alpha=0.05,
    warmup_target=0.03, warmup_steps=40)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=schedule, momentum=0.9, nesterov=False,
                                   global_clipnorm=0.5),
    loss=keras.losses.Poisson(),
)
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
print("test poisson loss: %.4f" % model.evaluate(x_test, y_test, batch_size=200, verbose=0))
