"""A variational autoencoder on 10x10 bar pictures; Keras model with its own train_step."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

keras.utils.set_random_seed(101)

SIDE, LATENT, HIDDEN = 10, 3, 64


def bars(n, seed):
    """Binary pictures of one horizontal and one vertical bar, with a few flipped pixels."""
    rng = np.random.default_rng(seed)
    out = np.zeros((n, SIDE, SIDE), dtype="float32")
    for i in range(n):
        r, c = rng.integers(0, SIDE - 2, 2)
        out[i, r : r + 2, :] = 1.0
        out[i, :, c : c + 2] = 1.0
    flips = rng.random(out.shape) < 0.03
    return np.where(flips, 1.0 - out, out).reshape(n, SIDE * SIDE).astype("float32")


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc = layers.Dense(HIDDEN, activation="tanh")
        self.mean = layers.Dense(LATENT)
        self.logvar = layers.Dense(LATENT)
        self.dec = layers.Dense(HIDDEN, activation="tanh")
        self.out = layers.Dense(SIDE * SIDE)
        self.noise = keras.random.SeedGenerator(7)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def call(self, x, training=False):
        h = self.enc(x)
        mu, logvar = self.mean(h), self.logvar(h)
        z = mu
        if training:
            z = mu + ops.exp(0.5 * logvar) * keras.random.normal(ops.shape(mu), seed=self.noise)
        return self.out(self.dec(z)), mu, logvar

    def negative_elbo(self, x, training):
        logits, mu, logvar = self(x, training=training)
        rec = ops.sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits), axis=1)
        kl = -0.5 * ops.sum(1.0 + logvar - ops.square(mu) - ops.exp(logvar), axis=1)
        return ops.mean(rec + kl)

    def train_step(self, data):
        x = data
        with tf.GradientTape() as tape:
            loss = self.negative_elbo(x, training=True)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.loss_tracker.update_state(loss, sample_weight=ops.cast(ops.shape(x)[0], "float32"))
        return {"loss": self.loss_tracker.result()}


train, test = bars(1200, seed=1), bars(300, seed=2)
vae = VAE()
vae(train[:1])
# the square root is taken of (average + epsilon) here, so epsilon is 1e-10 squared
vae.compile(optimizer=keras.optimizers.RMSprop(learning_rate=2e-3, rho=0.9, momentum=0.0, epsilon=1e-20))
vae.fit(train, batch_size=50, epochs=20, shuffle=True, verbose=2)

print("test bound at the posterior mean: %.3f" % float(vae.negative_elbo(ops.convert_to_tensor(test), training=False)))
