import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

keras.utils.set_random_seed(1)
Z, BATCH, EPOCHS = 4, 32, 12

X = (load_digits().data / 16.0).astype("float32")
X = X[np.random.default_rng(0).permutation(len(X))]
train, test = X[:1280], X[1280:]


def dense(units, act=None):
    return keras.layers.Dense(units, activation=act, kernel_initializer="glorot_uniform", bias_initializer="zeros")


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc = keras.Sequential([keras.Input((64,)), dense(48, "tanh"), dense(2 * Z)])
        self.dec = keras.Sequential([keras.Input((Z,)), dense(48, "tanh"), dense(64)])

    def call(self, x):
        mu, logvar = tf.split(self.enc(x), 2, axis=-1)
        z = mu + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mu))
        return self.dec(z), mu, logvar


def elbo_loss(logits, x, mu, logvar):
    rec = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits), -1)
    kl = -0.5 * tf.reduce_sum(1 + logvar - tf.square(mu) - tf.exp(logvar), -1)
    return rec + kl


vae = VAE()
vae(train[:2])
opt = keras.optimizers.SGD(2e-4, momentum=0.9)
opt.build(vae.trainable_variables)


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        logits, mu, logvar = vae(x, training=True)
        loss = elbo_loss(logits, x, mu, logvar)
    opt.apply_gradients(zip(tape.gradient(loss, vae.trainable_variables), vae.trainable_variables))
    return tf.reduce_mean(loss)


ds = tf.data.Dataset.from_tensor_slices(train).shuffle(len(train), seed=1, reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    tot = np.mean([float(train_step(x)) for x in ds])
    l, m, v = vae(test)
    print(f"epoch {epoch:2d}: train {tot:.3f}, test {float(tf.reduce_mean(elbo_loss(l, test, m, v))):.3f}")
