"""DDPM on a 2-D spiral with an exponential average of the weights (Keras, own train_step)."""
import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SEED = 3
T = 60
EMB = 16
BATCH, EPOCHS = 100, 45
LR, DECAY, EMA = 2e-3, 0.01, 0.98


def spiral(n=1050):
    rng = np.random.default_rng(0)
    u = np.sqrt(rng.random(n)) * 3 * np.pi
    pts = np.stack([u * np.cos(u), u * np.sin(u)], axis=1)
    pts += rng.normal(scale=0.25, size=pts.shape)
    return ((pts - pts.mean(0)) / pts.std(0)).astype(np.float32)


betas = np.linspace(1e-3, 0.12, T)
abar = tf.constant(np.cumprod(1.0 - betas).astype(np.float32))


def time_embedding(t):
    freqs = tf.exp(-math.log(1000.0) * tf.range(EMB // 2, dtype=tf.float32) / (EMB // 2))
    ang = tf.cast(t, tf.float32)[:, None] * freqs[None, :]
    return tf.concat([tf.sin(ang), tf.cos(ang)], axis=1)


def build_denoiser(width=64):
    x = keras.Input((2,))
    emb = keras.Input((EMB,))
    h = layers.Activation("silu")(layers.Dense(width)(x) + layers.Dense(width)(emb))
    h = h + layers.Dense(width, activation="silu")(h)
    h = h + layers.Dense(width, activation="silu")(h)
    return keras.Model([x, emb], layers.Dense(2)(h))


def add_noise(x0, t, noise):
    a = tf.gather(abar, t)[:, None]
    return tf.sqrt(a) * x0 + tf.sqrt(1.0 - a) * noise


class Diffusion(keras.Model):
    def __init__(self):
        super().__init__()
        self.network = build_denoiser()
        self.ema_network = keras.models.clone_model(self.network)
        self.ema_network.set_weights(self.network.get_weights())
        self.ema_network.trainable = False
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def train_step(self, x0):
        n = tf.shape(x0)[0]
        t = tf.random.uniform((n,), 0, T, dtype=tf.int32)
        noise = tf.random.normal(tf.shape(x0))
        with tf.GradientTape() as tape:
            pred = self.network([add_noise(x0, t, noise), time_embedding(t)], training=True)
            loss = tf.reduce_mean(tf.square(pred - noise))
        variables = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        for slow, fast in zip(self.ema_network.weights, self.network.weights):
            slow.assign(EMA * slow + (1.0 - EMA) * fast)
        self.tracker.update_state(loss, sample_weight=n)
        return {"loss": self.tracker.result()}


keras.utils.set_random_seed(SEED)
data = spiral()
train, valid = data[:850], data[850:]

model = Diffusion()
model.compile(
    optimizer=keras.optimizers.AdamW(
        learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12, weight_decay=DECAY
    )
)
history = model.fit(train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch in range(8, EPOCHS, 9):
    print(f"epoch {epoch + 1}  loss {history.history['loss'][epoch]:.4f}")

rng = np.random.default_rng(1)
vt = tf.constant(rng.integers(0, T, size=len(valid) * 10))
vn = tf.constant(rng.normal(size=(len(valid) * 10, 2)).astype(np.float32))
noisy = add_noise(tf.constant(np.repeat(valid, 10, axis=0)), vt, vn)
inputs = [noisy, time_embedding(vt)]
raw = tf.reduce_mean(tf.square(model.network(inputs, training=False) - vn))
avg = tf.reduce_mean(tf.square(model.ema_network(inputs, training=False) - vn))
print(f"valid  raw {float(raw):.4f}  averaged {float(avg):.4f}")
