import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(8)


def sensor_windows(n, rng, length=40):
    """n windows of 4 sensor channels (channel first), three kinds of motion."""
    y = rng.integers(0, 3, size=n)
    t = np.arange(length) / length
    offset = np.array([9.8, 0.0, 30.0, -4.0])
    scale = np.array([0.5, 0.05, 6.0, 1.5])
    freq = np.array([1.5, 2.5, 4.0])[y] + 0.3 * rng.normal(size=n)
    x = np.empty((n, 4, length))
    for c in range(4):
        phase = rng.uniform(0, 2 * np.pi, size=n)
        x[:, c] = np.sin(2 * np.pi * freq[:, None] * t + phase[:, None])
    x += 0.8 * rng.normal(size=x.shape)
    x = x * scale[:, None] + offset[:, None]
    return x.astype("float32"), y.astype("int64")


rng = np.random.default_rng(314)
x_train, y_train = sensor_windows(960, rng)
x_test, y_test = sensor_windows(320, rng)

model = keras.Sequential([
    keras.Input((4, 40)),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
    layers.Permute((2, 1)),
    layers.Conv1D(16, 7, padding="valid", activation="relu",
                  kernel_initializer="he_uniform", bias_initializer="zeros"),
    layers.MaxPooling1D(2),
    layers.Conv1D(24, 5, padding="valid", activation="relu",
                  kernel_initializer="he_uniform", bias_initializer="zeros"),
    layers.GlobalAveragePooling1D(),
    layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.Adam(2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
h = model.fit(x_train, y_train, batch_size=32, epochs=12, shuffle=True, verbose=0).history
for e in range(12):
    print(f"epoch {e + 1:2d} loss {h['loss'][e]:.4f} acc {h['acc'][e]:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=320, verbose=0)
print(f"test loss {loss:.4f} acc {acc:.4f}")
