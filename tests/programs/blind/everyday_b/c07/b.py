"""Transformer encoder for sensor sequences (Keras)."""
import math

import keras
import numpy as np
from keras import layers

SEQ, FEATS, CLASSES = 16, 3, 4
D_MODEL, HEADS, D_FF, DEPTH = 32, 4, 64, 1
BATCH, EPOCHS, LR = 50, 16, 2e-3


def make_events(n, seed):
    """A bump in channel 0 and one in channel 1; the class tells their order and the sign of the first."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.3, (n, SEQ, FEATS))
    y = np.zeros(n, dtype="int64")
    for i in range(n):
        p, q = rng.choice(SEQ, 2, replace=False)
        sign = rng.choice([-1.0, 1.0])
        x[i, p, 0] += 2.5 * sign
        x[i, q, 1] += 2.5
        y[i] = 2 * int(p < q) + int(sign > 0)
    return x.astype("float32"), y


def positions(length, dim):
    pos = np.arange(length)[:, None]
    freq = np.exp(-math.log(1000.0) * np.arange(0, dim, 2) / dim)
    table = np.zeros((length, dim), dtype="float32")
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


class AddPositions(layers.Layer):
    def build(self, input_shape):
        self.table = keras.ops.convert_to_tensor(positions(SEQ, D_MODEL))

    def call(self, x):
        return x + self.table


def encoder_block(x):
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(HEADS, key_dim=D_MODEL // HEADS, dropout=0.1, use_bias=False)(h, h)
    x = layers.Add()([x, layers.Dropout(0.1)(h)])
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.Dense(D_FF, activation="gelu")(h)  # exact GELU
    h = layers.Dense(D_MODEL)(h)
    return layers.Add()([x, layers.Dropout(0.1)(h)])


def build_model():
    inputs = keras.Input((SEQ, FEATS))
    x = AddPositions()(layers.Dense(D_MODEL)(inputs))
    for _ in range(DEPTH):
        x = encoder_block(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


keras.utils.set_random_seed(19)
X, Y = make_events(1900, seed=31)
x_train, y_train = X[:1500], Y[:1500]
x_test, y_test = X[1500:], Y[1500:]

steps = EPOCHS * math.ceil(len(x_train) / BATCH)
model = build_model()
model.compile(
    optimizer=keras.optimizers.AdamW(
        learning_rate=keras.optimizers.schedules.CosineDecay(LR, decay_steps=steps, alpha=0.0),
        weight_decay=0.02,
        beta_1=0.9,
        beta_2=0.99,
        epsilon=1e-12,
    ),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# ---- training
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=2)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f}")
print(f"test accuracy {accuracy:.4f}")
