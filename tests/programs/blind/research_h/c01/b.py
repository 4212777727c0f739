"""VAE for scikit-learn's digits. TensorFlow, GradientTape, sampling written out."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras

SEED = 3
LATENT = 8
BATCH = 100
EPOCHS = 20
BETA = 0.8

keras.utils.set_random_seed(SEED)

x = (load_digits().data / 16.0).astype("float32")
order = np.random.RandomState(42).permutation(len(x))
x_train, x_test = x[order[:1500]], x[order[1500:]]


def dense(units, inputs, activation=None):
    layer = keras.layers.Dense(units, activation=activation,
                               kernel_initializer="glorot_uniform",
                               bias_initializer="zeros")
    layer.build((None, inputs))
    return layer


hidden = dense(128, 64, "relu")
to_mean = dense(LATENT, 128)
to_logvar = dense(LATENT, 128)
up = dense(128, LATENT, "relu")
to_pixels = dense(64, 128)
variables = [w for l in (hidden, to_mean, to_logvar, up, to_pixels)
             for w in l.trainable_variables]

optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.build(variables)


def losses(images, logits, mean, logvar):
    bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
    rec = tf.reduce_mean(tf.reduce_sum(bce, axis=1))
    kl = -0.5 * tf.reduce_sum(1.0 + logvar - tf.square(mean) - tf.exp(logvar), axis=1)
    return rec, tf.reduce_mean(kl)


@tf.function
def train_step(images):
    with tf.GradientTape() as tape:
        h = hidden(images)
        mean, logvar = to_mean(h), to_logvar(h)
        noise = tf.random.normal(tf.shape(mean))
        z = mean + noise * tf.exp(logvar / 2.0)
        rec, kl = losses(images, to_pixels(up(z)), mean, logvar)
        loss = rec + BETA * kl
    grads = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(grads, variables))
    return loss


data = (tf.data.Dataset.from_tensor_slices(x_train)
        .shuffle(len(x_train), reshuffle_each_iteration=True)
        .batch(BATCH))

for epoch in range(EPOCHS):
    mean_loss = keras.metrics.Mean()
    for images in data:
        mean_loss.update_state(train_step(images), sample_weight=len(images))
    print(f"epoch {epoch + 1:2d}  loss {float(mean_loss.result()):.4f}")

h = hidden(x_test)
mean, logvar = to_mean(h), to_logvar(h)
rec, kl = losses(x_test, to_pixels(up(mean)), mean, logvar)
print(f"test reconstruction {float(rec):.4f}  kl {float(kl):.4f}")
