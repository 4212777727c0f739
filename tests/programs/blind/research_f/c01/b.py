"""Variational autoencoder on the 8x8 digits (Keras layers, GradientTape)."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(5)

LATENT, HIDDEN = 8, 96
BATCH, EPOCHS, WARMUP = 64, 15, 6

images = (load_digits().data / 16.0).astype("float32")
images = images[np.random.default_rng(2024).permutation(len(images))]
x_train, x_test = images[:1500], images[1500:]

inp = keras.Input((64,))
h = layers.Dense(HIDDEN, activation="relu", name="enc")(inp)
encoder = keras.Model(inp, [layers.Dense(LATENT, name="mu")(h),
                            layers.Dense(LATENT, name="logvar")(h)])
lat = keras.Input((LATENT,))
decoder = keras.Model(lat, layers.Dense(64, name="out")(
    layers.Dense(HIDDEN, activation="relu", name="dec")(lat)))
weights = encoder.trainable_variables + decoder.trainable_variables


def losses(x, sample=True):
    mu, logvar = encoder(x, training=True)
    z = mu
    if sample:
        z = mu + tf.exp(0.5 * logvar) * tf.random.normal(tf.shape(mu))
    logits = decoder(z, training=True)
    n = tf.cast(tf.shape(x)[0], tf.float32)
    rec = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)) / n
    kl = -0.5 * tf.reduce_sum(1.0 + logvar - tf.square(mu) - tf.exp(logvar)) / n
    return rec, kl


optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.build(weights)


@tf.function(reduce_retracing=True)
def step(x, beta):
    with tf.GradientTape() as tape:
        rec, kl = losses(x)
        loss = rec + beta * kl
    grads = tape.gradient(loss, weights)
    optimizer.apply_gradients(zip(grads, weights))
    return loss


dataset = (tf.data.Dataset.from_tensor_slices(x_train)
           .shuffle(len(x_train), reshuffle_each_iteration=True)
           .batch(BATCH))

# ---- training
for epoch in range(EPOCHS):
    beta = min(1.0, (epoch + 1) / WARMUP)
    total = 0.0
    for xb in dataset:
        total += float(step(xb, tf.constant(beta, tf.float32))) * len(xb)
    rec, kl = losses(tf.constant(x_test), sample=False)
    print(f"epoch {epoch + 1:2d} beta {beta:.2f} train {total / len(x_train):.3f} "
          f"test rec {float(rec):.3f} kl {float(kl):.3f}")
