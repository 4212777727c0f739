"""Machine states from sensor windows with a small transformer encoder: Keras."""
import numpy as np
import keras
from keras import layers, ops


T, SENSORS, CLASSES = 20, 5, 4
DIM, HEADS, FF, LAYERS, DROP = 24, 3, 48, 2, 0.1
BATCH, EPOCHS = 40, 10
PEAK, WARMUP = 3e-3, 40


def rate(step):
    """Linear warm-up, then inverse square root; step counts from 0."""
    s = step + 1.0
    return PEAK * min(s / WARMUP, (WARMUP / s) ** 0.5)


def make_data(n, seed):
    """Machine states from vibration, temperature and current."""
    rng = np.random.RandomState(seed)
    y = rng.randint(0, CLASSES, n)
    x = 0.6 * rng.randn(n, T, SENSORS)
    t = np.arange(T)
    for i, c in enumerate(y):
        a = rng.randint(2, T - 8)
        if c == 1:                                   # a surge in current, later heat
            x[i, a:a + 3, 0] += 1.6
            x[i, a + 4:a + 8, 1] += 1.2
        elif c == 2:                                 # heat first, then the surge
            x[i, a:a + 4, 1] += 1.2
            x[i, a + 5:a + 8, 0] += 1.6
        elif c == 3:                                 # imbalance
            x[i, :, 2] += np.sin(2 * np.pi * t / 5 + rng.uniform(0, 6))
            x[i, :, 3] += np.cos(2 * np.pi * t / 5 + rng.uniform(0, 6)) * 0.7
    return x.astype("float32"), y.astype("int64")


x_tr, y_tr = make_data(800, 80)
x_te, y_te = make_data(400, 81)

keras.utils.set_random_seed(9)


class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        s = ops.cast(step, "float32") + 1.0
        return PEAK * ops.minimum(s / WARMUP, ops.sqrt(WARMUP / s))

    def get_config(self):
        return {}


class Position(layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(
            shape=(T, DIM), initializer=keras.initializers.RandomNormal(0.0, 0.02), name="table")

    def call(self, x):
        return x + self.table


def block(x):
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(num_heads=HEADS, key_dim=DIM // HEADS, dropout=0.0,
                                  use_bias=False)(h, h)
    x = layers.Add()([x, layers.Dropout(DROP)(h)])
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.Dense(FF, activation="gelu")(h)
    h = layers.Dense(DIM)(h)
    return layers.Add()([x, layers.Dropout(DROP)(h)])


inp = keras.Input((T, SENSORS))
x = Position()(layers.Dense(DIM)(inp))
for _ in range(LAYERS):
    x = block(x)
x = layers.LayerNormalization(epsilon=1e-5)(x)
out = layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(x))
model = keras.Model(inp, out)
model.compile(
    optimizer=keras.optimizers.Adam(Warmup(), beta_1=0.9, beta_2=0.98, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)

# training
hist = model.fit(x_tr, y_tr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, l in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1}: loss {l:.4f}")

logits = model.predict(x_te, verbose=0)
test_loss = float(model.evaluate(x_te, y_te, batch_size=len(x_te), verbose=0))
print(f"test loss {test_loss:.4f}  accuracy {(logits.argmax(1) == y_te).mean():.4f}")
