"""Variational autoencoder on the 8x8 digits, Keras with its own train_step."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(4)

EPOCHS, BATCH, LATENT, WARMUP = 12, 64, 6, 120

images = load_digits().data.astype(np.float32) / 16.0
perm = np.random.default_rng(0).permutation(len(images))
images = images[perm]
x_train, x_test = images[:1500], images[1500:]

inp = keras.Input((64,))
h = layers.Dense(96, activation="relu")(inp)
h = layers.Dense(48, activation="relu")(h)
encoder = keras.Model(inp, [layers.Dense(LATENT)(h), layers.Dense(LATENT)(h)], name="encoder")

zin = keras.Input((LATENT,))
h = layers.Dense(48, activation="relu")(zin)
h = layers.Dense(96, activation="relu")(h)
decoder = keras.Model(zin, layers.Dense(64)(h), name="decoder")


def losses(logits, x, mu, logvar):
    ce = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
    rec = tf.reduce_mean(tf.reduce_sum(ce, axis=1))
    kl = -0.5 * tf.reduce_sum(1.0 + logvar - tf.square(mu) - tf.exp(logvar), axis=1)
    return rec, tf.reduce_mean(kl)


class VAE(keras.Model):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def train_step(self, x):
        beta = tf.minimum(1.0, tf.cast(self.optimizer.iterations, tf.float32) / WARMUP)
        with tf.GradientTape() as tape:
            mu, logvar = self.encoder(x, training=True)
            z = mu + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mu))
            rec, kl = losses(self.decoder(z, training=True), x, mu, logvar)
            loss = rec + beta * kl
        variables = self.encoder.trainable_variables + self.decoder.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        self.loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self.loss_tracker.result()}


vae = VAE(encoder, decoder)
vae.compile(optimizer=keras.optimizers.Adam(
    learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12))
vae.fit(x_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)

mu, logvar = encoder(x_test, training=False)
rec, kl = losses(decoder(mu, training=False), x_test, mu, logvar)
print(f"steps {int(vae.optimizer.iterations)}  test reconstruction {float(rec):.4f}  test kl {float(kl):.4f}")
