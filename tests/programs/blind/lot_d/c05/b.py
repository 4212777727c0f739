"""One-step-ahead forecast of a modulated wave with an LSTM."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(4)

T, HIDDEN, BATCH, EPOCHS = 20, 24, 40, 10
rng = np.random.default_rng(99)
t = np.arange(1400)
series = np.sin(0.21 * t) * (1 + 0.4 * np.sin(0.017 * t)) + 0.05 * rng.standard_normal(len(t))
windows = np.stack([series[i:i + T] for i in range(len(t) - T)]).astype("float32")[:, :, None]
targets = series[T:].astype("float32")[:, None]
perm = rng.permutation(len(windows))
train, test = perm[:1100], perm[1100:]

model = keras.Sequential([
    keras.Input((T, 1)),
    layers.LSTM(
        HIDDEN,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
    ),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
# epsilon sits inside the square root here
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=2e-3, rho=0.9, momentum=0.0, epsilon=1e-14,
                                       centered=False, global_clipnorm=0.5),
    loss=keras.losses.MeanSquaredError(),
)
hist = model.fit(windows[train], targets[train], batch_size=BATCH, epochs=EPOCHS,
                 shuffle=True, verbose=0)
for epoch, value in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1} train mse {value:.5f}")

print(f"test mse {model.evaluate(windows[test], targets[test], verbose=0):.5f}")
