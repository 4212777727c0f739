"""Classify motion traces with a GRU (Keras)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(9)


def traces(n=800, steps=16, seed=505):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, size=n)
    t = np.linspace(0, 1, steps)
    speed = rng.uniform(0.7, 1.4, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    circle = np.stack([np.cos(6 * speed * t + phase), np.sin(6 * speed * t + phase)], axis=2)
    eight = np.stack([np.sin(6 * speed * t + phase), np.sin(12 * speed * t + phase)], axis=2)
    line = np.stack([np.cos(phase) * speed * t * 2 - 1, np.sin(phase) * speed * t * 2 + 0 * t], axis=2)
    x = np.choose(kind[:, None, None], [circle, eight, line])
    x = x + 0.35 * rng.standard_normal(x.shape)
    return x.astype("float32"), kind.astype("int64")


x, y = traces()
x_train, y_train, x_test, y_test = x[:640], y[:640], x[640:], y[640:]
UNITS, BATCH, EPOCHS, LR, DECAY = 20, 32, 16, 0.008, 0.85
steps_per_epoch = len(x_train) // BATCH

model = keras.Sequential([
    keras.Input((16, 2)),
    layers.GRU(UNITS, activation="tanh", recurrent_activation="sigmoid", reset_after=True,
               kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
               bias_initializer="zeros"),
    layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
rate = keras.optimizers.schedules.ExponentialDecay(
    LR, decay_steps=steps_per_epoch, decay_rate=DECAY, staircase=True)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=rate, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e, loss in enumerate(history.history["loss"]):
    print(f"{e + 1:2d} {loss:.4f}")

z = model.predict(x_test, verbose=0)
test_loss = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y_test, z))
print(f"weights {model.count_params()} test loss {test_loss:.4f} accuracy {np.mean(z.argmax(1) == y_test):.4f}")
