"""Convolutional denoising autoencoder on 8x8 digits, compile/fit."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers, regularizers
from sklearn.datasets import load_digits

CODE = 12


def load_images():
    images = load_digits().images.astype("float32") / 16.0
    images = images[np.random.default_rng(1).permutation(len(images))][..., None]
    return images[:1500], images[1500:]


def build_autoencoder():
    l2 = regularizers.L2(1e-5)
    inputs = keras.Input((8, 8, 1))
    x = layers.GaussianNoise(0.2)(inputs)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", kernel_regularizer=l2)(x)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu", kernel_regularizer=l2)(x)
    x = layers.Flatten()(x)
    code = layers.Dense(CODE, name="code")(x)
    x = layers.Dense(2 * 2 * 16, activation="relu")(code)
    x = layers.Reshape((2, 2, 16))(x)
    x = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu", kernel_regularizer=l2)(x)
    outputs = layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")(x)
    return keras.Model(inputs, outputs, name="autoencoder")


def main():
    keras.utils.set_random_seed(6)
    train, test = load_images()
    autoencoder = build_autoencoder()
    autoencoder.compile(
        optimizer=keras.optimizers.Nadam(learning_rate=3e-3),
        loss=keras.losses.MeanSquaredError(),
    )
    pairs = tf.data.Dataset.from_tensor_slices((train, train))
    pairs = pairs.shuffle(len(train), reshuffle_each_iteration=True).batch(50)
    autoencoder.fit(pairs, epochs=16, verbose=2)

    restored = autoencoder.predict(test, batch_size=len(test), verbose=0)
    print(f"test reconstruction mse {np.mean((restored - test) ** 2):.5f} "
          f"(variance of the pixels {np.mean((test - train.mean(axis=0)) ** 2):.5f})")


if __name__ == "__main__":
    main()
