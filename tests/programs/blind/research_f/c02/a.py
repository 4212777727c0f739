"""WGAN with gradient penalty on a ring of Gaussians: keras.Model with its own train_step."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(303)

NOISE, WIDTH = 4, 32
BATCH, EPOCHS, CRITIC_STEPS, GP = 64, 4, 3, 1.0


def ring(n, seed):
    rng = np.random.default_rng(seed)
    k = rng.integers(0, 6, n)
    ang = 2 * np.pi * k / 6
    centre = np.stack([1.5 + np.cos(ang), -1.0 + np.sin(ang)], 1)
    return (centre + 0.1 * rng.normal(size=(n, 2))).astype("float32")


real, held_out = ring(1920, 1), ring(500, 2)

generator = keras.Sequential([
    keras.Input((NOISE,)),
    layers.Dense(WIDTH, activation="relu", kernel_initializer="glorot_uniform"),
    layers.Dense(WIDTH, activation="relu", kernel_initializer="glorot_uniform"),
    layers.Dense(2, kernel_initializer="glorot_uniform"),
])
critic = keras.Sequential([
    keras.Input((2,)),
    layers.Dense(WIDTH, kernel_initializer="glorot_uniform"),
    layers.LeakyReLU(negative_slope=0.2),
    layers.Dense(WIDTH, kernel_initializer="glorot_uniform"),
    layers.LeakyReLU(negative_slope=0.2),
    layers.Dense(1, kernel_initializer="glorot_uniform"),
])


class WGANGP(keras.Model):
    def __init__(self, generator, critic):
        super().__init__()
        self.generator, self.critic = generator, critic

    def compile(self, c_opt, g_opt):
        super().compile()
        self.c_opt, self.g_opt = c_opt, g_opt
        c_opt.build(self.critic.trainable_variables)
        g_opt.build(self.generator.trainable_variables)

    def penalty(self, x, fake):
        u = tf.random.uniform([tf.shape(x)[0], 1])
        mix = u * x + (1.0 - u) * fake
        with tf.GradientTape() as tape:
            tape.watch(mix)
            score = self.critic(mix, training=True)
        grad = tape.gradient(score, mix)
        norm = tf.sqrt(tf.reduce_sum(tf.square(grad), axis=1) + 1e-12)
        return tf.reduce_mean(tf.square(norm - 1.0))

    def train_step(self, x):
        n = tf.shape(x)[0]
        c_vars, g_vars = self.critic.trainable_variables, self.generator.trainable_variables
        for _ in range(CRITIC_STEPS):
            fake = self.generator(tf.random.normal([n, NOISE]), training=True)
            with tf.GradientTape() as tape:
                wass = (tf.reduce_mean(self.critic(x, training=True))
                        - tf.reduce_mean(self.critic(fake, training=True)))
                c_loss = -wass + GP * self.penalty(x, fake)
            self.c_opt.apply_gradients(zip(tape.gradient(c_loss, c_vars), c_vars))
        with tf.GradientTape() as tape:
            fake = self.generator(tf.random.normal([n, NOISE]), training=True)
            g_loss = -tf.reduce_mean(self.critic(fake, training=True))
        self.g_opt.apply_gradients(zip(tape.gradient(g_loss, g_vars), g_vars))
        return {"critic": c_loss, "wasserstein": wass, "generator": g_loss}


def energy_distance(a, b):
    d = lambda p, q: np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1)).mean()
    return 2 * d(a, b) - d(a, a) - d(b, b)


def evaluate():
    fake = generator(tf.random.normal([500, NOISE]), training=False).numpy()
    return energy_distance(fake, held_out), fake.mean(0)


gan = WGANGP(generator, critic)
gan.compile(c_opt=keras.optimizers.Adam(5e-3, beta_1=0.5, beta_2=0.9, epsilon=1e-12),
            g_opt=keras.optimizers.Adam(1.5e-3, beta_1=0.5, beta_2=0.9, epsilon=1e-12))

# ---- training
print("before", evaluate())
gan.fit(real, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
print("after", evaluate())
