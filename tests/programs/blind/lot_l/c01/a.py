"""Gesture recognition from short sensor sequences: one encoder block, Keras."""
import numpy as np
import keras
from keras import layers, ops

T, F, D, HEADS, CLASSES = 20, 4, 32, 2, 5
BATCH, EPOCHS = 32, 8


def gestures(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, n)
    t = np.arange(T)
    x = 0.4 * rng.normal(size=(n, T, F))
    for i in range(n):
        start = rng.integers(0, T - 10)
        bump = np.exp(-0.5 * ((t - start - 4) / 1.5) ** 2)
        late = np.exp(-0.5 * ((t - start - 9) / 1.5) ** 2)
        a, b = [(0, 1), (1, 0), (2, 3), (3, 2), (0, 2)][y[i]]
        x[i, :, a] += 2.0 * bump
        x[i, :, b] += 2.0 * late
    return x.astype("float32"), y.astype("int64")


def positions():
    pos = np.arange(T)[:, None]
    freq = np.exp(-np.log(100.0) * np.arange(0, D, 2) / D)
    table = np.zeros((T, D), "float32")
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


x_train, y_train = gestures(900, 3)
x_test, y_test = gestures(400, 4)

keras.utils.set_random_seed(71)
inp = keras.Input((T, F))
h = layers.Dense(D)(inp)
h = h + ops.convert_to_tensor(positions())[None]
n = layers.LayerNormalization(epsilon=1e-5)(h)
h = h + layers.MultiHeadAttention(HEADS, D // HEADS, use_bias=False)(n, n)
n = layers.LayerNormalization(epsilon=1e-5)(h)
n = layers.Dense(2 * D)(n)
n = layers.Activation(lambda v: ops.gelu(v, approximate=False))(n)
h = h + layers.Dense(D)(n)
h = layers.GlobalAveragePooling1D()(h)
model = keras.Model(inp, layers.Dense(CLASSES)(h))

# training
model.compile(
    optimizer=keras.optimizers.AdamW(1e-3, beta_1=0.9, beta_2=0.99, epsilon=1e-12, weight_decay=0.02),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
hist = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e, v in enumerate(hist.history["loss"]):
    print(f"epoch {e + 1} loss {v:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=400, verbose=0)
print(f"test loss {loss:.4f} acc {acc:.4f}")
