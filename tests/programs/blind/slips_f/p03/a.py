"""Convolutional beta-variational autoencoder of digits: a keras.Model with its own train_step, trained by fit."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

LATENT = 4
BATCH, EPOCHS, N_TRAIN = 50, 12, 1500
BETA = 0.2


def make_data():
    rng = np.random.RandomState(0)
    images = (load_digits().images / 16.0).astype("float32")[..., None]
    images = images[rng.permutation(len(images))]
    return images[:N_TRAIN], images[N_TRAIN:]


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(2)

    def call(self, inputs):
        mean, log_var = inputs
        eps = keras.random.normal(keras.ops.shape(mean), seed=self.seed_generator)
        return mean + keras.ops.exp(0.5 * log_var) * eps


def build_encoder():
    inp = keras.Input((8, 8, 1))
    h = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inp)
    h = layers.Conv2D(24, 3, strides=1, padding="same", activation="relu")(h)
    h = layers.Flatten()(h)
    h = layers.Dense(32, activation="relu")(h)
    mean = layers.Dense(LATENT)(h)
    log_var = layers.Dense(LATENT)(h)
    return keras.Model(inp, [mean, log_var, Sampling()([mean, log_var])])


def build_decoder():
    z = keras.Input((LATENT,))
    h = layers.Dense(4 * 4 * 16, activation="relu")(z)
    h = layers.Reshape((4, 4, 16))(h)
    h = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(h)
    return keras.Model(z, layers.Conv2D(1, 3, padding="same")(h))


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = build_encoder()
        self.decoder = build_decoder()
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.rec_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")

    @property
    def metrics(self):
        return [self.loss_tracker, self.rec_tracker, self.kl_tracker]

    def call(self, x):
        return self.decoder(self.encoder(x)[0])

    def losses_of(self, x):
        mean, log_var, z = self.encoder(x, training=True)
        logits = self.decoder(z, training=True)
        bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
        rec = tf.reduce_mean(tf.reduce_sum(bce, axis=[1, 2, 3]))
        kl = -0.5 * tf.reduce_mean(1.0 + log_var - mean ** 2 - tf.exp(log_var))
        return rec, kl

    def train_step(self, x):
        with tf.GradientTape() as tape:
            rec, kl = self.losses_of(x)
            loss = rec + BETA * kl
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        n = tf.shape(x)[0]
        self.loss_tracker.update_state(loss, sample_weight=n)
        self.rec_tracker.update_state(rec, sample_weight=n)
        self.kl_tracker.update_state(kl, sample_weight=n)
        return {m.name: m.result() for m in self.metrics}


def make_optimizer():
    schedule = keras.optimizers.schedules.CosineDecay(0.003, decay_steps=EPOCHS * N_TRAIN // BATCH, alpha=0.0)
    opt = keras.optimizers.AdamW(schedule, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    opt.exclude_from_weight_decay(var_names=["bias"])
    return opt


def main():
    keras.utils.set_random_seed(2)
    x_train, x_test = make_data()
    vae = VAE()
    vae.compile(optimizer=make_optimizer())
    data = tf.data.Dataset.from_tensor_slices(x_train).shuffle(N_TRAIN, reshuffle_each_iteration=True).batch(BATCH)
    vae.fit(data, epochs=EPOCHS, verbose=2)
    mean, log_var, _ = vae.encoder.predict(x_test, verbose=0)
    logits = vae.decoder.predict(mean, verbose=0)
    rec = np.logaddexp(0, logits) - x_test * logits
    kl = -0.5 * (1 + log_var - mean ** 2 - np.exp(log_var)).sum(1)
    print(f"test: reconstruction from the mean {rec.sum((1, 2, 3)).mean():.3f}  kl {kl.mean():.3f}")


if __name__ == "__main__":
    main()
