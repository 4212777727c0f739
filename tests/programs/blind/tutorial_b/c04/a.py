"""Variational autoencoder on the 8x8 digits, a TensorFlow custom loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(8)
LATENT, HIDDEN, BATCH, EPOCHS = 4, 48, 50, 15

# data
images = (load_digits().data / 16.0).astype("float32")
order = np.random.RandomState(3).permutation(len(images))
x_train, x_test = images[order[:1500]], images[order[1500:]]

inputs = keras.Input((64,))
h = layers.Dense(HIDDEN, activation="tanh", kernel_initializer="glorot_uniform")(inputs)
mean = layers.Dense(LATENT, kernel_initializer="glorot_uniform")(h)
logvar = layers.Dense(LATENT, kernel_initializer="glorot_uniform")(h)
encoder = keras.Model(inputs, [mean, logvar])

codes = keras.Input((LATENT,))
h = layers.Dense(HIDDEN, activation="tanh", kernel_initializer="glorot_uniform")(codes)
decoder = keras.Model(codes, layers.Dense(64, kernel_initializer="glorot_uniform")(h))

optimizer = keras.optimizers.RMSprop(learning_rate=2e-3, rho=0.9, momentum=0.0,
                                     epsilon=1e-20, centered=False)
variables = encoder.trainable_variables + decoder.trainable_variables


def elbo_loss(x, z, mean, logvar):
    logits = decoder(z)
    bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
    reconstruction = tf.reduce_sum(bce, axis=1)
    kl = -0.5 * tf.reduce_sum(1.0 + logvar - tf.square(mean) - tf.exp(logvar), axis=1)
    return tf.reduce_mean(reconstruction + kl)


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        mean, logvar = encoder(x)
        noise = tf.random.normal(tf.shape(mean))
        loss = elbo_loss(x, mean + tf.exp(0.5 * logvar) * noise, mean, logvar)
    grads = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(grads, variables))
    return loss


dataset = tf.data.Dataset.from_tensor_slices(x_train).shuffle(
    len(x_train), reshuffle_each_iteration=True).batch(BATCH)

# training
for epoch in range(EPOCHS):
    losses = [float(train_step(xb)) for xb in dataset]
    mean, logvar = encoder(x_test)
    test = float(elbo_loss(x_test, mean, mean, logvar))
    print(f"epoch {epoch + 1} loss {np.mean(losses):.4f} test {test:.4f}")
