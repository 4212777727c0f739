# GAN on a noisy circle: Keras model with its own train_step, R1 penalty.
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(21)

rng = np.random.default_rng(7)
angle = rng.uniform(0, 2 * np.pi, 1600)
radius = 1.0 + 0.08 * rng.normal(size=1600)
real = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype("float32")

NOISE = 2
GAMMA = 0.2


def mlp(n_in, n_out, act):
    model = keras.Sequential([keras.Input((n_in,))])
    for _ in range(2):
        model.add(layers.Dense(64, kernel_initializer="he_uniform", bias_initializer="zeros"))
        model.add(act())
    model.add(layers.Dense(n_out, kernel_initializer="glorot_uniform", bias_initializer="zeros"))
    return model


class GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.gen = mlp(NOISE, 2, layers.ReLU)
        self.disc = mlp(2, 1, lambda: layers.LeakyReLU(negative_slope=0.2))
        self.d_mean = keras.metrics.Mean(name="d_loss")
        self.g_mean = keras.metrics.Mean(name="g_loss")

    def compile(self, d_opt, g_opt):
        super().compile()
        self.d_opt, self.g_opt = d_opt, g_opt

    @property
    def metrics(self):
        return [self.d_mean, self.g_mean]

    def train_step(self, x):
        n = tf.shape(x)[0]
        # discriminator
        fake = self.gen(tf.random.normal((n, NOISE)), training=True)
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(x)
                s_real = self.disc(x, training=True)
            slope = inner.gradient(s_real, x)
            s_fake = self.disc(fake, training=True)
            r1 = tf.reduce_mean(tf.reduce_sum(slope ** 2, axis=1))
            d_loss = (tf.reduce_mean(tf.nn.softplus(-s_real))
                      + tf.reduce_mean(tf.nn.softplus(s_fake))
                      + 0.5 * GAMMA * r1)
        dv = self.disc.trainable_variables
        self.d_opt.apply_gradients(zip(tape.gradient(d_loss, dv), dv))
        # generator, fresh noise
        z = tf.random.normal((n, NOISE))
        with tf.GradientTape() as tape:
            g_loss = tf.reduce_mean(tf.nn.softplus(-self.disc(self.gen(z, training=True), training=True)))
        gv = self.gen.trainable_variables
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, gv), gv))
        self.d_mean.update_state(d_loss, sample_weight=n)
        self.g_mean.update_state(g_loss, sample_weight=n)
        return {"d_loss": self.d_mean.result(), "g_loss": self.g_mean.result()}


gan = GAN()
gan.compile(
    keras.optimizers.Adam(1e-2, beta_1=0.5, beta_2=0.9, epsilon=1e-12),
    keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9, epsilon=1e-12),
)
gan.fit(real, batch_size=100, epochs=18, shuffle=True, verbose=2)

samples = gan.gen(tf.random.normal((1000, NOISE)), training=False).numpy()
off = np.abs(np.linalg.norm(samples, axis=1) - 1.0).mean()
sector = np.floor((np.arctan2(samples[:, 1], samples[:, 0]) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
print("mean distance to the circle: %.4f" % off)
print("smallest share of an octant: %.4f" % (np.bincount(sector, minlength=8).min() / 1000))
