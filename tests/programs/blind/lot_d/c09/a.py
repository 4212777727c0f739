import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(31)

T, F, E, HEADS, CLASSES = 12, 6, 24, 3, 4
BATCH, EPOCHS = 48, 12


def make(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, T, F)).astype("float32")
    label = rng.integers(0, CLASSES, n)
    where = rng.integers(0, T, n)
    x[np.arange(n), where, 0] = 3.5
    x[np.arange(n), where, 1:1 + CLASSES] = 0.0
    x[np.arange(n), where, 1 + label] = 2.0
    return x, label


x_train, y_train = make(1200, 10)
x_test, y_test = make(400, 11)
onehot = np.eye(CLASSES, dtype="float32")
steps = EPOCHS * (len(x_train) // BATCH)


class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up for 40 steps, then linear decay to zero."""

    def __init__(self, peak, total, warm=40):
        self.peak, self.total, self.warm = peak, total, warm

    def __call__(self, step):
        k = keras.ops.cast(step, "float32")
        up = (k + 1.0) / self.warm
        down = (self.total - k) / (self.total - self.warm)
        return self.peak * keras.ops.minimum(up, down)


inp = keras.Input((T, F))
h = layers.Dense(E)(inp)
att = layers.MultiHeadAttention(num_heads=HEADS, key_dim=E // HEADS, use_bias=False)(h, h)
h = layers.LayerNormalization(epsilon=1e-5)(h + att)
ff = layers.Dense(48, activation="relu")(h)
ff = layers.Dropout(0.1)(ff)
ff = layers.Dense(E)(ff)
h = layers.LayerNormalization(epsilon=1e-5)(h + ff)
h = layers.GlobalAveragePooling1D()(h)
out = layers.Dense(CLASSES)(h)
model = keras.Model(inp, out)

model.compile(
    optimizer=keras.optimizers.Adam(Warmup(4e-3, steps), beta_1=0.9, beta_2=0.98, epsilon=1e-12),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    metrics=["accuracy"],
)
model.fit(x_train, onehot[y_train], batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
loss, acc = model.evaluate(x_test, onehot[y_test], verbose=0)
print(f"test: smoothed loss {loss:.4f}, accuracy {acc:.4f}")
