"""Denoising diffusion on a spiral: noise prediction, AdamW with cosine decay, averaged weights."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

keras.utils.set_random_seed(77)

# spiral in the plane
rng = np.random.default_rng(7)
phi = 1.5 * np.pi * (1 + 2 * rng.random(1800))
xy = np.stack([phi * np.cos(phi), phi * np.sin(phi)], 1) / 8.0 + 0.05 * rng.normal(size=(1800, 2))
xy = xy.astype("float32")
x_train, x_test = xy[:1500], xy[1500:]

T = 50
alpha_bar = np.cumprod(1.0 - np.linspace(1e-3, 0.12, T)).astype("float32")
t_test = rng.integers(0, T, 300)
e_test = rng.normal(size=(300, 2)).astype("float32")

EPOCHS, BATCH, DECAY = 30, 100, 0.98
STEPS = EPOCHS * 15
FREQ = (2.0 ** np.arange(6)).astype("float32")


def time_features(t):
    a = ops.cast(t, "float32")[:, None] / T * FREQ
    return ops.concatenate([ops.sin(a), ops.cos(a)], axis=1)


def make_net():
    x = keras.Input((2,))
    tf_in = keras.Input((12,))
    h = layers.Concatenate()([x, tf_in])
    h = layers.Dense(64, activation="silu", kernel_initializer="he_uniform")(h)
    h = layers.LayerNormalization(epsilon=1e-5)(h)
    h = layers.Dense(64, activation="silu", kernel_initializer="he_uniform")(h)
    h = layers.LayerNormalization(epsilon=1e-5)(h)
    return keras.Model([x, tf_in], layers.Dense(2, kernel_initializer="glorot_uniform")(h))


class Diffusion(keras.Model):
    def __init__(self):
        super().__init__()
        self.net = make_net()
        self.shadow = make_net()
        self.shadow.set_weights(self.net.get_weights())
        self.shadow.trainable = False
        self.alpha_bar = tf.constant(alpha_bar)
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def call(self, x):
        return x

    def noisy(self, x, t, e):
        a = tf.gather(self.alpha_bar, t)[:, None]
        return tf.sqrt(a) * x + tf.sqrt(1.0 - a) * e

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        n = tf.shape(x)[0]
        t = tf.random.uniform((n,), 0, T, dtype=tf.int32)
        e = tf.random.normal(tf.shape(x))
        with tf.GradientTape() as tape:
            pred = self.net([self.noisy(x, t, e), time_features(t)], training=True)
            per_sample = tf.reduce_mean(tf.square(pred - e), axis=1)
            loss = tf.reduce_mean(per_sample)
        weights = self.net.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        for s, w in zip(self.shadow.weights, self.net.weights):
            s.assign(DECAY * s + (1.0 - DECAY) * w)
        self.tracker.update_state(per_sample)
        return {"loss": self.tracker.result()}


model = Diffusion()
model(x_train[:2])
schedule = keras.optimizers.schedules.CosineDecay(4e-3, decay_steps=STEPS, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.02, beta_1=0.9, beta_2=0.99, epsilon=1e-12)
)
hist = model.fit(x_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for k in range(9, EPOCHS, 10):
    print(f"epoch {k + 1}: loss {hist.history['loss'][k]:.4f}")

pred = model.shadow([model.noisy(x_test, t_test, e_test), time_features(t_test)], training=False)
print(f"test noise error, averaged weights: {float(tf.reduce_mean(tf.square(pred - e_test))):.4f}")
