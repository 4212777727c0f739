"""Small transformer encoder over sensor windows (Keras)."""
import math
import numpy as np
import keras
from keras import layers, ops

T, C, E, HEADS, FF, CLASSES = 12, 6, 32, 4, 64, 3


def sensor_windows(n=640):
    rng = np.random.default_rng(77)
    y = rng.integers(0, CLASSES, size=n)
    t = np.arange(T)
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1, C))
    freq = (0.25 + 0.18 * y)[:, None, None] * np.linspace(0.7, 1.3, C)
    x = np.sin(2 * np.pi * freq * t[None, :, None] / 3.0 + phase) + 0.3 * rng.normal(size=(n, T, C))
    return x.astype("float32"), y.astype("int64")


def sinusoids():
    pos = np.arange(T)[:, None]
    div = np.exp(np.arange(0, E, 2) * (-math.log(10000.0) / E))
    pe = np.zeros((T, E), dtype="float32")
    pe[:, 0::2] = np.sin(pos * div)
    pe[:, 1::2] = np.cos(pos * div)
    return pe


def block(x):
    a = layers.MultiHeadAttention(num_heads=HEADS, key_dim=E // HEADS, dropout=0.0)(x, x)
    x = layers.LayerNormalization(epsilon=1e-5)(x + a)
    f = layers.Dense(FF, activation="relu")(x)
    f = layers.Dense(E)(f)
    return layers.LayerNormalization(epsilon=1e-5)(x + f)


keras.utils.set_random_seed(0)
x, y = sensor_windows()
x_train, y_train, x_test, y_test = x[:480], y[:480], x[480:], y[480:]

inputs = keras.Input((T, C))
h = layers.Dense(E)(inputs) + ops.convert_to_tensor(sinusoids())
h = block(h)
h = block(h)
h = layers.GlobalAveragePooling1D()(h)
model = keras.Model(inputs, layers.Dense(CLASSES)(h))
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    jit_compile=False,
)
hist = model.fit(x_train, y_train, batch_size=32, epochs=16, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print(f"epoch {i + 1:2d} loss {v:.4f}")
pred = model.predict(x_test, verbose=0).argmax(1)
print("accuracy", float((pred == y_test).mean()))
