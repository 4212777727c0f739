"""Variational autoencoder for load_digits with a TensorFlow training loop."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.random.set_seed(2024)

pixels = (load_digits().data / 16.0).astype("float32")
idx = np.random.RandomState(0).permutation(len(pixels))
train, test = pixels[idx[:1500]], pixels[idx[1500:]]

n_latent = 6
n_hidden = 96
batch_size = 100
epochs = 24
warmup_steps = 150


def dense(units, activation=None):
    return tf.keras.layers.Dense(units, activation=activation,
                                 kernel_initializer="glorot_uniform",
                                 bias_initializer="zeros")


inp = tf.keras.Input((64,))
h = dense(n_hidden, "relu")(inp)
encoder = tf.keras.Model(inp, [dense(n_latent)(h), dense(n_latent)(h)])

code = tf.keras.Input((n_latent,))
decoder = tf.keras.Model(code, dense(64)(dense(n_hidden, "relu")(code)))

weights = encoder.trainable_variables + decoder.trainable_variables
optimizer = tf.keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999,
                                     epsilon=1e-12)


def losses(x, logits, mean, log_var):
    xent = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
    reconstruction = tf.reduce_mean(tf.reduce_sum(xent, axis=1))
    divergence = 0.5 * tf.reduce_sum(
        tf.exp(log_var) + tf.square(mean) - 1.0 - log_var, axis=1)
    return reconstruction, tf.reduce_mean(divergence)


@tf.function
def update(x, kl_weight):
    with tf.GradientTape() as tape:
        mean, log_var = encoder(x, training=True)
        noise = tf.random.normal(tf.shape(mean))
        z = mean + noise * tf.exp(log_var / 2)
        rec, kl = losses(x, decoder(z, training=True), mean, log_var)
        total = rec + kl_weight * kl
    grads = tape.gradient(total, weights)
    optimizer.apply_gradients(zip(grads, weights))
    return rec, kl


# ---- training
dataset = (tf.data.Dataset.from_tensor_slices(train)
           .shuffle(1500, seed=5, reshuffle_each_iteration=True)
           .batch(batch_size))
n_updates = 0
for epoch in range(epochs):
    log = []
    for x in dataset:
        n_updates += 1
        w = tf.constant(min(1.0, n_updates / warmup_steps), tf.float32)
        log.append([float(v) for v in update(x, w)])
    rec, kl = np.mean(log, axis=0)
    print("epoch %2d  rec %.3f  kl %.3f" % (epoch + 1, rec, kl))

mean, log_var = encoder(test, training=False)
rec, kl = losses(test, decoder(mean, training=False), mean, log_var)
print("test rec (z = mu) %.3f  kl %.3f" % (float(rec), float(kl)))
