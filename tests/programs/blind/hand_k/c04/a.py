"""Variable-length sequences, one transformer block in Keras (MultiHeadAttention, LayerNormalization)."""
import numpy as np
import keras
from keras import layers, ops

T, F, D, HEADS, CLASSES = 16, 6, 32, 2, 4


def make_data():
    rng = np.random.default_rng(77)
    n = 1400
    y = rng.integers(0, CLASSES, size=n)
    lengths = rng.integers(6, T + 1, size=n)
    protos = rng.normal(size=(CLASSES, F))
    x = rng.normal(scale=1.0, size=(n, T, F))
    for i in range(n):                       # two marked positions carry the class
        pos = rng.choice(lengths[i], size=2, replace=False)
        x[i, pos] += 2.0 * protos[y[i]]
    mask = np.arange(T)[None, :] < lengths[:, None]
    x = (x * mask[:, :, None]).astype(np.float32)
    return (x[:1120], mask[:1120], y[:1120]), (x[1120:], mask[1120:], y[1120:])


def sinusoids(length, dim):
    pos = np.arange(length)[:, None]
    freq = np.exp(-np.log(10000.0) * np.arange(0, dim, 2) / dim)[None, :]
    table = np.zeros((length, dim), dtype=np.float32)
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


keras.utils.set_random_seed(31)
(x_train, m_train, y_train), (x_test, m_test, y_test) = make_data()

inputs = keras.Input((T, F))
mask = keras.Input((T,), dtype="bool")
h = layers.Dense(D)(inputs) + ops.convert_to_tensor(sinusoids(T, D))[None]
a = layers.MultiHeadAttention(num_heads=HEADS, key_dim=D // HEADS, dropout=0.0)(
    h, h, attention_mask=layers.Reshape((1, T))(mask))
h = layers.LayerNormalization(epsilon=1e-5)(h + a)
f = layers.Dense(64, activation="relu")(h)
f = layers.Dense(D)(f)
h = layers.LayerNormalization(epsilon=1e-5)(h + f)
h = layers.GlobalAveragePooling1D()(h, mask=mask)
model = keras.Model([inputs, mask], layers.Dense(CLASSES)(h))

model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=0.03, initial_accumulator_value=0.1,
                                       epsilon=1e-10),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy()],
)
hist = model.fit([x_train, m_train], y_train, batch_size=56, epochs=15, shuffle=True, verbose=0)
for e, v in enumerate(hist.history["loss"]):
    print(f"epoch {e + 1:2d} loss {v:.4f}")
loss, acc = model.evaluate([x_test, m_test], y_test, batch_size=280, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
