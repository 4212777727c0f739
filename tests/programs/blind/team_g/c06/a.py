"""Remaining life of an engine from sensor windows: a small transformer, GradientTape."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

STEPS, CHANNELS = 24, 6


def make_windows(n, seed):
    """Windows of six sensors of an engine and its remaining life (scaled), with some gross outliers."""
    rig = np.random.RandomState(5)
    gain = rig.normal(0, 1, CHANNELS)
    speed = rig.uniform(0.3, 1.2, CHANNELS)
    rng = np.random.RandomState(seed)
    wear = rng.uniform(0, 1, n)
    load = rng.uniform(0.5, 1.5, n)
    shift = rng.uniform(0, 6.28, (n, 1, 1))
    t = np.arange(STEPS)[None, :, None]
    swing = np.sin(speed * (1 + 0.5 * wear[:, None, None]) * t + shift)
    x = swing * load[:, None, None] + gain * (wear ** 2)[:, None, None] + rng.normal(0, 0.3, (n, STEPS, CHANNELS))
    life = 2.0 * (1 - wear) * (1.5 - 0.5 * load) + rng.normal(0, 0.05, n)
    odd = rng.uniform(size=n) < 0.04
    life[odd] += rng.normal(0, 3.0, odd.sum())
    return x.astype("float32"), (life - 1.0).astype("float32")


tf.config.threading.set_intra_op_parallelism_threads(1)
keras.utils.set_random_seed(7)
WIDTH, HEADS, DROP = 32, 4, 0.05


class Positions(layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(STEPS, WIDTH), name="table",
                                     initializer=keras.initializers.RandomNormal(0.0, 0.02))

    def call(self, x):
        return x + self.table


def block(x):
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, use_bias=False, dropout=0.0)(h, h)
    x = x + layers.Dropout(DROP)(h)
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.Dense(64)(h)
    h = layers.Activation(lambda v: keras.activations.gelu(v, approximate=False))(h)
    h = layers.Dense(WIDTH)(h)
    return x + layers.Dropout(DROP)(h)


inputs = keras.Input((STEPS, CHANNELS))
h = Positions()(layers.Dense(WIDTH)(inputs))
h = block(block(h))
h = layers.LayerNormalization(epsilon=1e-5)(h)
h = layers.GlobalAveragePooling1D()(h)
model = keras.Model(inputs, layers.Dense(1)(h))


class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, steps):
        self.peak, self.steps = peak, steps

    def __call__(self, step):
        done = tf.cast(step, tf.float32) + 1.0
        return self.peak * tf.minimum(1.0, done / self.steps)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps}


optimizer = keras.optimizers.Adam(Warmup(2e-3, 40), beta_1=0.9, beta_2=0.999, epsilon=1e-12)
huber = keras.losses.Huber(delta=0.5)


@tf.function(reduce_retracing=True)
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = huber(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(grads, model.trainable_variables)
    return loss


x, y = make_windows(2020, 1)
xt, yt = make_windows(600, 2)
rng = np.random.default_rng(7)
for epoch in range(6):
    order = rng.permutation(len(x))
    total = 0.0
    for i in range(0, len(x), 50):
        idx = order[i:i + 50]
        total += float(step(tf.constant(x[idx]), tf.constant(y[idx][:, None]))) * len(idx)
    print(f"epoch {epoch + 1}: {total / len(x):.4f}")

pred = model(xt, training=False).numpy()
print("test huber %.4f  median error %.4f" % (float(huber(yt[:, None], pred)), np.median(np.abs(pred[:, 0] - yt))))
