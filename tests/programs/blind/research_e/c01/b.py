"""Variational autoencoder on the 8x8 digits (Keras, own train_step)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

EPOCHS, BATCH, LATENT, WARMUP = 20, 64, 6, 150

keras.utils.set_random_seed(5)

x = (load_digits().data / 16.0).astype("float32")
order = np.random.default_rng(0).permutation(len(x))
x_train, x_test = x[order[:1500]], x[order[1500:]]

pixels = keras.Input((64,))
h = layers.Dense(64, activation="tanh")(pixels)
encoder = keras.Model(pixels, [layers.Dense(LATENT)(h), layers.Dense(LATENT)(h)], name="encoder")

code = keras.Input((LATENT,))
decoder = keras.Model(code, layers.Dense(64)(layers.Dense(64, activation="tanh")(code)), name="decoder")


def reconstruction(x, logits):
    return tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits), axis=1)


def divergence(mu, logvar):
    return 0.5 * tf.reduce_sum(tf.exp(logvar) + tf.square(mu) - 1.0 - logvar, axis=1)


class VAE(keras.Model):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def call(self, x):
        mu, _ = self.encoder(x)
        return self.decoder(mu)

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        beta = tf.minimum(1.0, tf.cast(self.optimizer.iterations, tf.float32) / WARMUP)
        with tf.GradientTape() as tape:
            mu, logvar = self.encoder(x, training=True)
            noise = tf.random.normal(tf.shape(mu))
            logits = self.decoder(mu + tf.exp(0.5 * logvar) * noise, training=True)
            per_sample = reconstruction(x, logits) + beta * divergence(mu, logvar)
            loss = tf.reduce_mean(per_sample)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.loss_tracker.update_state(per_sample)
        return {"loss": self.loss_tracker.result()}


vae = VAE(encoder, decoder)
vae(x_train[:2])
vae.compile(optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12))
hist = vae.fit(x_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e in range(4, EPOCHS, 5):
    print(f"epoch {e + 1}: loss {hist.history['loss'][e]:.3f}")

mu, logvar = encoder(x_test, training=False)
rec = reconstruction(x_test, decoder(mu, training=False))
print(f"test: reconstruction {float(tf.reduce_mean(rec)):.3f}  kl {float(tf.reduce_mean(divergence(mu, logvar))):.3f}")
