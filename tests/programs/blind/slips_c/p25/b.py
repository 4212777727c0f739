"""VAE for the small digits as a keras.Model with its own train_step."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

LATENT = 6
WARMUP = 150.0      # steps until the KL term has its full weight


def make_data():
    x, _ = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    x = x[np.random.default_rng(4).permutation(len(x))]
    return x[:1500], x[1500:]


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        pixels = keras.Input((64,))
        h = layers.Dense(48, activation="elu")(pixels)
        self.encoder = keras.Model(pixels, [layers.Dense(LATENT, name="mean")(h),
                                            layers.Dense(LATENT, name="logvar")(h)])
        self.decoder = keras.Sequential([keras.Input((LATENT,)),
                                         layers.Dense(48, activation="elu"),
                                         layers.Dense(64)])
        self.rec_metric = keras.metrics.Mean(name="reconstruction")
        self.kl_metric = keras.metrics.Mean(name="kl")

    @property
    def metrics(self):
        return [self.rec_metric, self.kl_metric]

    def terms(self, x, sample):
        mean, logvar = self.encoder(x)
        z = mean
        if sample:
            z = mean + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mean))
        bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=self.decoder(z))
        rec = tf.reduce_mean(bce)
        kl = tf.reduce_mean(tf.reduce_sum(
            -0.5 * (1.0 + logvar - tf.square(mean) - tf.exp(logvar)), axis=1))
        return rec, kl

    def train_step(self, x):
        done = tf.cast(self.optimizer.iterations, tf.float32)
        beta = tf.minimum(1.0, done / WARMUP)
        with tf.GradientTape() as tape:
            rec, kl = self.terms(x, sample=True)
            loss = rec + beta * kl
        grads = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
        n = tf.shape(x)[0]
        self.rec_metric.update_state(rec, sample_weight=n)
        self.kl_metric.update_state(kl, sample_weight=n)
        return {m.name: m.result() for m in self.metrics}


keras.utils.set_random_seed(10)
train, test = make_data()
vae = VAE()
vae.compile(optimizer=keras.optimizers.Adamax(learning_rate=0.006, beta_1=0.9, beta_2=0.999,
                                              epsilon=1e-12))
vae.fit(train, batch_size=50, epochs=16, shuffle=True, verbose=2)
rec, kl = vae.terms(tf.constant(test), sample=False)
print(f"test: reconstruction {float(rec):.3f} kl {float(kl):.3f}")
