"""Denoising diffusion on two half moons in the plane, as a Keras model with its own train_step."""
import math
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(4)

T, WIDTH, BATCH, EPOCHS, LR, DECAY, EMA = 40, 64, 100, 25, 4e-3, 0.02, 0.98


def moons(n, seed):
    r = np.random.default_rng(seed)
    a = r.uniform(0, np.pi, n)
    side = r.integers(0, 2, n)
    x = np.where(side == 0, np.cos(a), 1 - np.cos(a))
    y = np.where(side == 0, np.sin(a), 0.5 - np.sin(a))
    pts = np.stack([x - 0.5, y - 0.25], 1) + 0.05 * r.standard_normal((n, 2))
    return pts.astype("float32")


train, test = moons(2000, 0), moons(1000, 1)
betas = np.linspace(1e-3, 0.15, T)
abar = np.cumprod(1.0 - betas).astype("float32")
freq = (2.0 ** np.arange(4)).astype("float32")


def build_net():
    return keras.Sequential([
        keras.Input((2 + 8,)),
        layers.Dense(WIDTH, activation="silu", kernel_initializer="glorot_uniform"),
        layers.Dense(WIDTH, activation="silu", kernel_initializer="glorot_uniform"),
        layers.Dense(2, kernel_initializer="glorot_uniform"),
    ])


class Diffusion(keras.Model):
    def __init__(self):
        super().__init__()
        self.net = build_net()
        self.ema_net = build_net()
        self.ema_net.set_weights(self.net.get_weights())
        self.ema_net.trainable = False
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def predict_noise(self, x, t, net, training=False):
        phase = (tf.cast(t, tf.float32) / T)[:, None] * freq * math.pi
        return net(tf.concat([x, tf.sin(phase), tf.cos(phase)], axis=1), training=training)

    def noisy(self, x, t, noise):
        a = tf.gather(abar, t)[:, None]
        return tf.sqrt(a) * x + tf.sqrt(1.0 - a) * noise

    def train_step(self, x):
        n = tf.shape(x)[0]
        t = tf.random.uniform((n,), 0, T, dtype=tf.int32)
        noise = tf.random.normal(tf.shape(x))
        with tf.GradientTape() as tape:
            out = self.predict_noise(self.noisy(x, t, noise), t, self.net, training=True)
            loss = tf.reduce_mean(tf.square(out - noise))
        weights = self.net.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        for e, w in zip(self.ema_net.weights, self.net.weights):
            e.assign(EMA * e + (1.0 - EMA) * w)
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


model = Diffusion()
total_steps = EPOCHS * math.ceil(len(train) / BATCH)
opt = keras.optimizers.AdamW(
    learning_rate=keras.optimizers.schedules.CosineDecay(LR, total_steps, alpha=0.0),
    weight_decay=DECAY, beta_1=0.9, beta_2=0.99, epsilon=1e-12)
opt.exclude_from_weight_decay(var_names=["bias"])
model.compile(optimizer=opt)

# ---- training
hist = model.fit(train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e in range(4, EPOCHS, 5):
    print(f"epoch {e + 1} loss {hist.history['loss'][e]:.4f}")

r = np.random.default_rng(9)
tt = tf.constant(r.integers(0, T, len(test)))
nn_ = tf.constant(r.standard_normal(test.shape).astype("float32"))
for name, m in (("raw", model.net), ("averaged", model.ema_net)):
    out = model.predict_noise(model.noisy(tf.constant(test), tt, nn_), tt, m)
    print(f"test noise error, {name} weights: {float(tf.reduce_mean(tf.square(out - nn_))):.4f}")
