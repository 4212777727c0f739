"""A small VAE on generated bar images: Keras layers, GradientTape, KL, cross-entropy and Adam by formula."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(64)

rng = np.random.RandomState(77)
images = np.zeros((1500, 8, 8), np.float32)
for img in images:
    for _ in range(rng.randint(1, 3)):
        if rng.rand() < 0.5:
            img[rng.randint(8), :] = 1.0
        else:
            img[:, rng.randint(8)] = 1.0
flip = rng.rand(*images.shape) < 0.02
images = np.where(flip, 1.0 - images, images).astype(np.float32).reshape(-1, 64)
x_train, x_test = images[:1200], images[1200:]

LATENT = 6
xin = keras.Input((64,))
hidden = layers.Dense(96, activation="relu")(xin)
encoder = keras.Model(xin, [layers.Dense(LATENT)(hidden), layers.Dense(LATENT)(hidden)])
decoder = keras.Sequential([keras.Input((LATENT,)), layers.Dense(96, activation="relu"), layers.Dense(64)])
weights = encoder.trainable_variables + decoder.trainable_variables


def negative_elbo(x, noise):
    mu, logvar = encoder(x, training=True)
    z = mu + tf.exp(0.5 * logvar) * noise
    a = decoder(z, training=True)
    rec = tf.reduce_sum(tf.maximum(a, 0.0) - a * x + tf.math.log1p(tf.exp(-tf.abs(a))), axis=1)
    kl = 0.5 * tf.reduce_sum(tf.square(mu) + tf.exp(logvar) - 1.0 - logvar, axis=1)
    return tf.reduce_mean(rec + kl)


LR, B1, B2, EPS = 3e-3, 0.9, 0.999, 1e-8
first = [tf.Variable(tf.zeros(w.shape)) for w in weights]
second = [tf.Variable(tf.zeros(w.shape)) for w in weights]


@tf.function
def train_step(x, noise, c1, c2):
    with tf.GradientTape() as tape:
        loss = negative_elbo(x, noise)
    for w, m, v, g in zip(weights, first, second, tape.gradient(loss, weights)):
        m.assign(B1 * m + (1 - B1) * g)
        v.assign(B2 * v + (1 - B2) * tf.square(g))
        w.assign_sub(LR * (m / c1) / (tf.sqrt(v / c2) + EPS))     # epsilon after the bias correction
    return loss


# training
order = np.random.default_rng(5)
t = 0
for epoch in range(25):
    perm = order.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(perm), 60):
        xb = tf.constant(x_train[perm[i:i + 60]])
        t += 1
        c1, c2 = tf.constant(1 - B1 ** t, tf.float32), tf.constant(1 - B2 ** t, tf.float32)
        total += float(train_step(xb, tf.random.normal((len(xb), LATENT)), c1, c2)) * len(xb)
    print(f"epoch {epoch + 1:2d} -elbo {total / len(perm):.3f}")

test = negative_elbo(tf.constant(x_test), tf.zeros((len(x_test), LATENT)))
print(f"test -elbo at the mean {float(test):.3f}")
