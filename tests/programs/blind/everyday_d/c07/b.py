"""Activity recognition from short sensor windows with a small transformer encoder (Keras)."""
import math

import keras
import numpy as np
from keras import layers

STEPS, CHANNELS, CLASSES = 16, 5, 4
DIM, HEADS, FFN, DEPTH = 32, 4, 64, 2
BATCH, EPOCHS = 64, 10
N_TRAIN, N_TEST = 1500, 400


def make_windows():
    rng = np.random.RandomState(77)
    n = N_TRAIN + N_TEST
    y = rng.randint(0, CLASSES, n)
    t = np.arange(STEPS)
    x = 0.4 * rng.randn(n, STEPS, CHANNELS)
    for i in range(n):
        phase = rng.uniform(0, 2 * np.pi)
        freq = (0.08, 0.20)[y[i] % 2]                     # slow or fast movement
        start = rng.randint(0, 4) + (0, 8)[y[i] // 2]     # early or late jolt
        x[i, :, 0] += np.sin(2 * np.pi * freq * t + phase)
        x[i, :, 1] += np.cos(2 * np.pi * freq * t + phase)
        x[i, start:start + 4, 2] += 1.2
    x = x.astype(np.float32)
    y = y.astype(np.int64)
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def positions():
    pos = np.arange(STEPS)[:, None]
    rate = np.exp(-math.log(10000.0) * np.arange(0, DIM, 2) / DIM)
    table = np.zeros((STEPS, DIM), dtype=np.float32)
    table[:, 0::2] = np.sin(pos * rate)
    table[:, 1::2] = np.cos(pos * rate)
    return table


class AddPositions(layers.Layer):
    def call(self, x):
        return x + positions()


def encoder_block(x):
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(HEADS, key_dim=DIM // HEADS, use_bias=False)(h, h)
    x = layers.Add()([x, h])
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.Dense(FFN, activation="gelu")(h)
    h = layers.Dense(DIM)(h)
    return layers.Add()([x, h])


def build_model(total_steps):
    inputs = keras.Input((STEPS, CHANNELS))
    x = layers.Dense(DIM)(inputs)
    x = AddPositions()(x)
    for _ in range(DEPTH):
        x = encoder_block(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(CLASSES)(x))
    model.compile(
        optimizer=keras.optimizers.AdamW(
            learning_rate=keras.optimizers.schedules.CosineDecay(2e-3, total_steps),
            weight_decay=0.02, beta_1=0.9, beta_2=0.98, epsilon=1e-12),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def main():
    keras.utils.set_random_seed(2)
    x_tr, y_tr, x_te, y_te = make_windows()
    model = build_model(EPOCHS * math.ceil(N_TRAIN / BATCH))
    model.fit(x_tr, y_tr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
    loss, acc = model.evaluate(x_te, y_te, verbose=0)
    print(f"test loss {loss:.4f} acc {acc:.4f}")


if __name__ == "__main__":
    main()
