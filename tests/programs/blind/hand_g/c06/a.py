"""Waveform classification with a 1-D CNN: Keras fit, gradient_accumulation_steps from the optimizer."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(3)


def waves(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(64) / 64.0
    y = rng.integers(0, 4, n)
    x = np.empty((n, 64, 2), np.float32)
    for i, c in enumerate(y):
        f, ph = rng.uniform(3, 6), rng.uniform(0, 2 * np.pi)
        arg = 2 * np.pi * f * t + ph
        s = [np.sin(arg), np.sign(np.sin(arg)), 2 * ((f * t + ph) % 1.0) - 1, np.sin(arg) * np.sin(2 * np.pi * 2 * t)][c]
        x[i, :, 0] = s + 0.3 * rng.normal(size=64)
        x[i, :, 1] = np.roll(s, 5) + 0.3 * rng.normal(size=64)
    return x, y.astype("int32")


x_train, y_train = waves(960, 0)
x_test, y_test = waves(400, 1)

MICRO = 16        # examples per pass
ACCUM = 4         # passes per update
EPOCHS = 8        # 60 passes = 15 updates each

model = keras.Sequential([
    keras.Input((64, 2)),
    layers.Conv1D(16, 7, strides=2, padding="same", activation="relu"),
    layers.Conv1D(32, 5, strides=2, padding="same", activation="relu"),
    layers.GlobalAveragePooling1D(),
    layers.Dense(4),
])
model.compile(
    optimizer=keras.optimizers.Adamax(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
                                      gradient_accumulation_steps=ACCUM),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)

# training
model.fit(x_train, y_train, batch_size=MICRO, epochs=EPOCHS, shuffle=True, verbose=2)

loss, acc = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f} acc {acc:.4f}")
