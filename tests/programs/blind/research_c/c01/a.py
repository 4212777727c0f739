"""Variational autoencoder on the 8x8 digits: Keras model with its own train_step."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(11)

images = (load_digits().data / 16.0).astype("float32")
order = np.random.default_rng(0).permutation(len(images))
x_train, x_test = images[order[:1497]], images[order[1497:]]

LATENT = 8
BATCH = 64
EPOCHS = 15
WARMUP = 120


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc = layers.Dense(56, activation="elu", kernel_initializer="glorot_uniform", bias_initializer="zeros")
        self.to_mean = layers.Dense(LATENT, kernel_initializer="glorot_uniform", bias_initializer="zeros")
        self.to_logvar = layers.Dense(LATENT, kernel_initializer="glorot_uniform", bias_initializer="zeros")
        self.dec = layers.Dense(56, activation="elu", kernel_initializer="glorot_uniform", bias_initializer="zeros")
        self.to_pixels = layers.Dense(64, kernel_initializer="glorot_uniform", bias_initializer="zeros")
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def encode(self, x):
        h = self.enc(x)
        return self.to_mean(h), self.to_logvar(h)

    def decode(self, z):
        return self.to_pixels(self.dec(z))

    def call(self, x):
        mean, logvar = self.encode(x)
        return self.decode(mean), mean, logvar

    def terms(self, x, logits, mean, logvar):
        bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
        rec = tf.reduce_mean(tf.reduce_sum(bce, axis=1))
        kl = -0.5 * tf.reduce_sum(1.0 + logvar - tf.square(mean) - tf.exp(logvar), axis=1)
        return rec, tf.reduce_mean(kl)

    def train_step(self, x):
        step = tf.cast(self.optimizer.iterations, tf.float32)
        beta = tf.minimum(1.0, (step + 1.0) / WARMUP)
        with tf.GradientTape() as tape:
            mean, logvar = self.encode(x)
            noise = tf.random.normal(tf.shape(mean))
            z = mean + tf.exp(0.5 * logvar) * noise
            rec, kl = self.terms(x, self.decode(z), mean, logvar)
            loss = rec + beta * kl
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return {"loss": self.loss_tracker.result()}


model = VAE()
model(x_train[:2])
model.compile(optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12))


def evaluate(x):
    logits, mean, logvar = model(x)
    rec, kl = model.terms(x, logits, mean, logvar)
    return float(rec), float(kl)


print("before: rec %.3f kl %.3f" % evaluate(x_test))
history = model.fit(x_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for i in range(0, EPOCHS, 5):
    print("epoch %d train loss %.3f" % (i + 1, history.history["loss"][i]))
print("after: rec %.3f kl %.3f" % evaluate(x_test))
