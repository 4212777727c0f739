"""Activity recognition with a small transformer encoder (Keras)."""
import numpy as np
import keras
from keras import layers, ops

keras.utils.set_random_seed(17)

CLASSES = ["rest", "walk", "run", "stairs", "cycle"]
T, SENSORS = 20, 4


def make_windows(n, seed):
    """Windows of a wearable: each activity has its rhythm, amplitude and shape."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(CLASSES), n)
    freq = np.array([0.02, 0.10, 0.19, 0.10, 0.15])[y] * rng.uniform(0.85, 1.15, n)
    amp = np.array([0.15, 0.8, 1.3, 0.9, 0.8])[y] * rng.uniform(0.7, 1.3, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    t = np.arange(T)
    angle = 2 * np.pi * freq[:, None] * t + phase[:, None]
    x = np.zeros((n, T, SENSORS))
    x[:, :, 0] = amp[:, None] * np.sin(angle)
    x[:, :, 1] = amp[:, None] * np.cos(angle) * np.where(y == 4, -0.6, 0.6)[:, None]
    x[:, :, 2] = np.where(y == 4, 1.2, 0.5)[:, None] * amp[:, None] * np.abs(np.sin(angle))
    x[:, :, 3] = np.where(y == 3, 0.06, 0.0)[:, None] * t
    x += rng.normal(0, 0.35, x.shape)
    return x.astype(np.float32), y.astype(np.int64)


x_train, y_train = make_windows(1400, seed=31)
x_test, y_test = make_windows(500, seed=32)

DIM, HEADS, FF, BLOCKS, DROPOUT = 32, 4, 64, 2, 0.1
BATCH_SIZE, EPOCHS, PEAK_LR, WARMUP = 56, 8, 3e-3, 40
TOTAL_STEPS = EPOCHS * (len(x_train) // BATCH_SIZE)

class PositionalEmbedding(layers.Layer):
    def build(self, input_shape):
        self.pos = self.add_weight(
            shape=(input_shape[1], input_shape[2]),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="pos",
        )

    def call(self, x):
        return x + self.pos


class WarmupLinear(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, warmup, total):
        self.peak, self.warmup, self.total = peak, warmup, total

    def __call__(self, step):
        step = ops.cast(step, "float32")
        up = (step + 1.0) / self.warmup
        down = (self.total - step) / (self.total - self.warmup)
        return self.peak * ops.minimum(1.0, ops.minimum(up, down))

    def get_config(self):
        return {"peak": self.peak, "warmup": self.warmup, "total": self.total}


def encoder_block(x):
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(HEADS, DIM // HEADS, dropout=DROPOUT, use_bias=False)(h, h)
    x = layers.Add()([x, layers.Dropout(DROPOUT)(h)])
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.Dense(FF, activation="gelu")(h)
    h = layers.Dropout(DROPOUT)(h)
    h = layers.Dense(DIM)(h)
    return layers.Add()([x, layers.Dropout(DROPOUT)(h)])


inputs = keras.Input((T, SENSORS))
x = layers.Dense(DIM)(inputs)
x = PositionalEmbedding()(x)
for _ in range(BLOCKS):
    x = encoder_block(x)
x = layers.LayerNormalization(epsilon=1e-5)(x)
x = layers.GlobalAveragePooling1D()(x)
outputs = layers.Dense(len(CLASSES))(x)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.AdamW(
        WarmupLinear(PEAK_LR, WARMUP, TOTAL_STEPS),
        weight_decay=0.02,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-12,
    ),
    loss=keras.losses.SparseCategoricalCrossentropy(),
    metrics=["accuracy"],
)
print("parameters:", model.count_params())
model.fit(
    x_train,
    y_train,
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    validation_data=(x_test, y_test),
    verbose=2,
)
loss, acc = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f}  accuracy {acc:.4f}")
