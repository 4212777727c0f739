"""Variational autoencoder on 8x8 digits, as a Keras model with its own train_step."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

LATENT = 4
BATCH = 100
EPOCHS = 18


def load():
    x = (load_digits().data / 16.0).astype("float32")
    x = x[np.random.default_rng(0).permutation(len(x))]
    return x[:1500], x[1500:]


class VAE(keras.Model):
    def __init__(self, seed):
        super().__init__()
        self.enc = layers.Dense(48, activation="relu")
        self.mu = layers.Dense(LATENT)
        self.logvar = layers.Dense(LATENT)
        self.dec = layers.Dense(48, activation="relu")
        self.pixels = layers.Dense(64)
        self.noise = keras.random.SeedGenerator(seed)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def encode(self, x):
        h = self.enc(x)
        return self.mu(h), self.logvar(h)

    def decode(self, z):
        return self.pixels(self.dec(z))

    def call(self, x):
        mu, logvar = self.encode(x)
        eps = keras.random.normal(tf.shape(mu), seed=self.noise)
        return self.decode(mu + tf.exp(0.5 * logvar) * eps), mu, logvar

    def negative_elbo(self, x, logits, mu, logvar):
        rec = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits), axis=1)
        kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), axis=1)
        return tf.reduce_mean(rec + kl)

    def train_step(self, x):
        with tf.GradientTape() as tape:
            logits, mu, logvar = self(x, training=True)
            loss = self.negative_elbo(x, logits, mu, logvar)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self.loss_tracker.result()}


def main():
    keras.utils.set_random_seed(8)
    xtr, xte = load()
    vae = VAE(seed=8)
    vae.compile(optimizer=keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999,
                                                epsilon=1e-12))
    vae.fit(xtr, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
    logits, mu, logvar = vae(tf.constant(xte))
    print(f"test -ELBO {float(vae.negative_elbo(xte, logits, mu, logvar)):.3f}")
    mean_logits = vae.decode(mu)
    print(f"reconstruction MSE {float(tf.reduce_mean((tf.sigmoid(mean_logits) - xte) ** 2)):.4f}")


if __name__ == "__main__":
    main()
