"""Variational autoencoder on the 8x8 digits, Keras layers in a GradientTape loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

SEED = 11
EPOCHS, BATCH, LATENT, HIDDEN = 12, 64, 6, 80
WARMUP = 4

keras.utils.set_random_seed(SEED)

X = (load_digits().data / 16.0).astype("float32")
order = np.random.RandomState(0).permutation(len(X))
x_train, x_test = X[order[:1500]], X[order[1500:]]

inp = keras.Input((64,))
h = layers.Dense(HIDDEN, activation="tanh")(inp)
encoder = keras.Model(inp, [layers.Dense(LATENT)(h), layers.Dense(LATENT)(h)])
decoder = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(HIDDEN, activation="tanh"),
    layers.Dense(64),
])
weights = encoder.trainable_variables + decoder.trainable_variables
opt = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(weights)


def terms(x, logits, mu, logvar):
    bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
    rec = tf.reduce_mean(tf.reduce_sum(bce, axis=1))
    kl = tf.reduce_mean(-0.5 * tf.reduce_sum(1.0 + logvar - tf.square(mu) - tf.exp(logvar), axis=1))
    return rec, kl


@tf.function(reduce_retracing=True)
def train_step(x, beta):
    with tf.GradientTape() as tape:
        mu, logvar = encoder(x, training=True)
        noise = tf.random.normal(tf.shape(mu), 0.0, 1.0)
        z = mu + tf.exp(0.5 * logvar) * noise
        rec, kl = terms(x, decoder(z, training=True), mu, logvar)
        loss = rec + beta * kl
    grads = tape.gradient(loss, weights)
    opt.apply_gradients(zip(grads, weights))
    return loss


# ---- training
data = tf.data.Dataset.from_tensor_slices(x_train).shuffle(
    len(x_train), seed=SEED, reshuffle_each_iteration=True).batch(BATCH, drop_remainder=False)
for epoch in range(EPOCHS):
    beta = min(1.0, (epoch + 1) / WARMUP)
    total, seen = 0.0, 0
    for xb in data:
        total += float(train_step(xb, tf.constant(beta, tf.float32))) * len(xb)
        seen += len(xb)
    print(f"epoch {epoch + 1:2d} beta {beta:.2f} loss {total / seen:.4f}")

mu, logvar = encoder(x_test, training=False)
rec, kl = terms(tf.constant(x_test), decoder(mu, training=False), mu, logvar)
print(f"test reconstruction {float(rec):.4f} kl {float(kl):.4f}")
