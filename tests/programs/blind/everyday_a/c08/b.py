"""Transformer encoder for sensor snippets (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

STEPS, CHANNELS, CLASSES = 16, 4, 3
D_MODEL, HEADS, D_FF, BLOCKS = 32, 2, 64, 2
DROPOUT = 0.1
BATCH_SIZE, EPOCHS = 64, 10
PEAK_LR, WARMUP = 3e-3, 24


def make_data():
    """Sensor snippets: the class decides how the channels lag behind each other."""
    rng = np.random.default_rng(1234)
    n = 1580
    y = rng.integers(0, CLASSES, n)
    t = np.arange(STEPS)
    freq = rng.uniform(0.6, 1.2, (n, 1, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    lag = np.array([[0, 1, 2, 3], [0, -1, -2, -3], [0, 2, 0, 2]])[y][:, None, :]
    x = np.sin(freq * (t[None, :, None] - lag) + phase) + 0.5 * rng.normal(size=(n, STEPS, CHANNELS))
    x, y = x.astype("float32"), y.astype("int64")
    return (x[:1280], y[:1280]), (x[1280:], y[1280:])


def sinusoidal_positions():
    pos = np.arange(STEPS)[:, None]
    rate = 1.0 / 100 ** (np.arange(0, D_MODEL, 2) / D_MODEL)
    table = np.zeros((STEPS, D_MODEL), dtype="float32")
    table[:, 0::2], table[:, 1::2] = np.sin(pos * rate), np.cos(pos * rate)
    return table


class AddPositions(layers.Layer):
    def call(self, x):
        return x + sinusoidal_positions()


def encoder_block(x):
    """Pre-norm encoder block."""
    h = layers.LayerNormalization(epsilon=1e-6)(x)
    h = layers.MultiHeadAttention(HEADS, D_MODEL // HEADS, dropout=DROPOUT, use_bias=False)(h, h)
    x = layers.Add()([x, layers.Dropout(DROPOUT)(h)])
    h = layers.LayerNormalization(epsilon=1e-6)(x)
    h = layers.Dense(D_FF, activation="gelu")(h)
    h = layers.Dense(D_MODEL)(h)
    return layers.Add()([x, layers.Dropout(DROPOUT)(h)])


def build_model(total_steps):
    inputs = keras.Input((STEPS, CHANNELS))
    x = AddPositions()(layers.Dense(D_MODEL)(inputs))
    for _ in range(BLOCKS):
        x = encoder_block(x)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    x = layers.GlobalAveragePooling1D()(x)
    model = keras.Model(inputs, layers.Dense(CLASSES)(x))

    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=PEAK_LR,
        warmup_steps=WARMUP,
        decay_steps=total_steps - WARMUP,
        alpha=0.0,
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=0.05, beta_1=0.9, beta_2=0.98, epsilon=1e-12
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def main():
    keras.utils.set_random_seed(71)
    (x, y), (x_test, y_test) = make_data()
    steps_per_epoch = int(np.ceil(len(x) / BATCH_SIZE))
    model = build_model(EPOCHS * steps_per_epoch)
    model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
    print(f"test loss {model.evaluate(x_test, y_test, verbose=0):.4f}")
    accuracy = np.mean(model.predict(x_test, verbose=0).argmax(1) == y_test)
    print(f"test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
