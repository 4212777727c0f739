# GAN on a bent two-dimensional cloud. Non-saturating loss, R1 penalty on real points,
# one optimizer for each player. Keras 3, train_step overridden.
import os
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(7)

rng = np.random.default_rng(42)
u = rng.normal(size=(2560, 2))
real = np.stack([u[:, 0], 0.5 * u[:, 0] ** 2 - 0.5 + 0.3 * u[:, 1]], axis=1).astype("float32")

NOISE = 4
R1 = 0.2


def normal():
    return keras.initializers.RandomNormal(mean=0.0, stddev=0.15)


def dense(units):
    return layers.Dense(units, kernel_initializer=normal(), bias_initializer="zeros")


generator = keras.Sequential([
    keras.Input((NOISE,)),
    dense(48), layers.ReLU(),
    dense(48), layers.ReLU(),
    dense(2),
])
discriminator = keras.Sequential([
    keras.Input((2,)),
    dense(48), layers.LeakyReLU(negative_slope=0.2),
    dense(48), layers.LeakyReLU(negative_slope=0.2),
    dense(1),
])


class GAN(keras.Model):
    def __init__(self, g, d):
        super().__init__()
        self.g, self.d = g, d

    def compile(self, g_opt, d_opt):
        super().compile()
        self.g_opt, self.d_opt = g_opt, d_opt

    def train_step(self, x):
        n = tf.shape(x)[0]

        # discriminator
        fake = self.g(tf.random.normal((n, NOISE)), training=True)
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(x)
                d_real = self.d(x, training=True)
            slope = inner.gradient(d_real, x)
            d_fake = self.d(fake, training=True)
            adv = tf.reduce_mean(tf.nn.softplus(-d_real)) + tf.reduce_mean(tf.nn.softplus(d_fake))
            penalty = tf.reduce_mean(tf.reduce_sum(slope ** 2, axis=1))
            d_loss = adv + 0.5 * R1 * penalty
        grads = tape.gradient(d_loss, self.d.trainable_variables)
        self.d_opt.apply_gradients(zip(grads, self.d.trainable_variables))

        # generator, with fresh noise
        z = tf.random.normal((n, NOISE))
        with tf.GradientTape() as tape:
            g_loss = tf.reduce_mean(tf.nn.softplus(-self.d(self.g(z, training=True), training=True)))
        grads = tape.gradient(g_loss, self.g.trainable_variables)
        self.g_opt.apply_gradients(zip(grads, self.g.trainable_variables))
        return {"d_loss": d_loss, "g_loss": g_loss, "r1": penalty}


gan = GAN(generator, discriminator)
gan.compile(
    g_opt=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.5, beta_2=0.99, epsilon=1e-12),
    d_opt=keras.optimizers.Adam(learning_rate=4e-3, beta_1=0.5, beta_2=0.99, epsilon=1e-12),
)

# ---- training
gan.fit(real, batch_size=128, epochs=14, shuffle=True, verbose=2)

z = np.random.default_rng(1).normal(size=(4000, NOISE)).astype("float32")
sample = generator(z, training=False).numpy()
print("mean real", real.mean(0), "fake", sample.mean(0))
print("cov error %.4f" % np.abs(np.cov(real.T) - np.cov(sample.T)).max())
bend = np.corrcoef(sample[:, 0] ** 2, sample[:, 1])[0, 1]
print("corr(x^2, y): real %.3f fake %.3f" % (np.corrcoef(real[:, 0] ** 2, real[:, 1])[0, 1], bend))
