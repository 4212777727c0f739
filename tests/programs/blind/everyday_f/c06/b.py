"""Convolutional denoising autoencoder on 8x8 digits, subclassed model and own training loop."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers, regularizers
from sklearn.datasets import load_digits

CODE = 12
BATCH = 50
EPOCHS = 16


def load_images():
    images = load_digits().images.astype("float32") / 16.0
    images = images[np.random.default_rng(1).permutation(len(images))][..., None]
    return images[:1500], images[1500:]


class Encoder(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.noise = layers.GaussianNoise(0.2)
        self.conv1 = layers.Conv2D(
            8, 3, strides=2, padding="same", activation="relu", kernel_regularizer=regularizers.L2(1e-5))
        self.conv2 = layers.Conv2D(
            16, 3, strides=2, padding="same", activation="relu", kernel_regularizer=regularizers.L2(1e-5))
        self.flatten = layers.Flatten()
        self.project = layers.Dense(CODE)

    def call(self, x, training=False):
        x = self.noise(x, training=training)
        return self.project(self.flatten(self.conv2(self.conv1(x))))


class Decoder(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.expand = layers.Dense(2 * 2 * 16, activation="relu")
        self.reshape = layers.Reshape((2, 2, 16))
        self.up1 = layers.Conv2DTranspose(
            8, 3, strides=2, padding="same", activation="relu", kernel_regularizer=regularizers.L2(1e-5))
        self.up2 = layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")

    def call(self, code):
        return self.up2(self.up1(self.reshape(self.expand(code))))


class DenoisingAutoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()

    def call(self, x, training=False):
        return self.decoder(self.encoder(x, training=training))


def main():
    keras.utils.set_random_seed(6)
    train, test = load_images()
    dataset = (
        tf.data.Dataset.from_tensor_slices(train)
        .shuffle(len(train), reshuffle_each_iteration=True)
        .batch(BATCH)
    )
    model = DenoisingAutoencoder()
    model(train[:1])  # creates the weights
    optimizer = keras.optimizers.Nadam(learning_rate=3e-3)

    @tf.function
    def train_step(images):
        with tf.GradientTape() as tape:
            restored = model(images, training=True)
            mse = tf.reduce_mean(tf.square(restored - images))
            loss = mse + tf.add_n(model.losses)
        grads = tape.gradient(loss, model.trainable_weights)
        optimizer.apply_gradients(zip(grads, model.trainable_weights))
        return loss

    for epoch in range(1, EPOCHS + 1):
        mean = keras.metrics.Mean()
        for images in dataset:
            mean.update_state(train_step(images), sample_weight=len(images))
        print(f"epoch {epoch}/{EPOCHS} - loss: {float(mean.result()):.4f}")

    restored = model(test, training=False).numpy()
    print(f"test reconstruction mse {np.mean((restored - test) ** 2):.5f} "
          f"(variance of the pixels {np.mean((test - train.mean(axis=0)) ** 2):.5f})")


if __name__ == "__main__":
    main()
