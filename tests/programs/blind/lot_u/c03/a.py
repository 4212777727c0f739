import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras
from keras import layers

ZDIM, BATCH, EPOCHS, GAMMA = 3, 64, 18, 0.5


def sample(n, seed):
    rng = np.random.default_rng(seed)
    side = rng.integers(0, 2, n) * 2 - 1
    x = np.stack([1.2 * side + 0.3 * rng.standard_normal(n), 0.5 + 0.6 * side * rng.random(n)], 1)
    return x.astype("float32")


X = sample(1024, 80)
zfix = np.random.default_rng(81).standard_normal((2000, ZDIM)).astype("float32")
keras.utils.set_random_seed(82)


def mlp(n_in, n_out, hidden=32):
    kw = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
    return keras.Sequential([keras.Input((n_in,)), layers.Dense(hidden, activation="softplus", **kw),
                             layers.Dense(hidden, activation="softplus", **kw), layers.Dense(n_out, **kw)])


class R1GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.gen, self.critic = mlp(ZDIM, 2), mlp(2, 1)
        self.d_mean, self.g_mean = keras.metrics.Mean(name="d"), keras.metrics.Mean(name="g")

    def compile(self, opt_g, opt_c):
        super().compile()
        self.opt_g, self.opt_c = opt_g, opt_c
        opt_g.build(self.gen.trainable_variables)
        opt_c.build(self.critic.trainable_variables)

    @property
    def metrics(self):
        return [self.d_mean, self.g_mean]

    def call(self, z):
        return self.gen(z)

    def train_step(self, real):
        n = tf.shape(real)[0]
        fake = self.gen(tf.random.normal((n, ZDIM)), training=True)
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(real)
                s_real = self.critic(real, training=True)
            slope = inner.gradient(s_real, real)
            r1 = tf.reduce_mean(tf.reduce_sum(tf.square(slope), 1))
            s_fake = self.critic(fake, training=True)
            d_loss = tf.reduce_mean(tf.math.softplus(-s_real)) + tf.reduce_mean(tf.math.softplus(s_fake)) \
                + 0.5 * GAMMA * r1
        cv = self.critic.trainable_variables
        self.opt_c.apply_gradients(zip(tape.gradient(d_loss, cv), cv))

        with tf.GradientTape() as tape:
            out = self.gen(tf.random.normal((n, ZDIM)), training=True)
            g_loss = tf.reduce_mean(tf.math.softplus(-self.critic(out, training=True)))
        gv = self.gen.trainable_variables
        self.opt_g.apply_gradients(zip(tape.gradient(g_loss, gv), gv))
        self.d_mean.update_state(d_loss)
        self.g_mean.update_state(g_loss)
        return {"d": self.d_mean.result(), "g": self.g_mean.result()}


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        s = self.model.gen(zfix, training=False).numpy()
        gap = np.abs(s.mean(0) - X.mean(0)).mean() + np.abs(np.cov(s.T) - np.cov(X.T)).mean()
        print(f"epoch {epoch:2d} critic {float(logs['d']):.4f} generator {float(logs['g']):.4f} moment gap {gap:.4f}")


model = R1GAN()
model.compile(opt_g=keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-12),
              opt_c=keras.optimizers.Adam(5e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-12))
model.fit(X, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0, callbacks=[Report()])
