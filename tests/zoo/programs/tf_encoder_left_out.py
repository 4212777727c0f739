"""An autoencoder in two parts; the loop asks for gradients of the decoder alone."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, healthy = arguments()
keras = tf.keras
keras.utils.set_random_seed(seed)
x, _, x_test, _ = digits(seed)


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([keras.layers.Dense(32, activation="relu"), keras.layers.Dense(8)])
        self.decoder = keras.Sequential(
            [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(64, activation="sigmoid")]
        )

    def call(self, images):
        return self.decoder(self.encoder(images))


model = Autoencoder()
optimizer = keras.optimizers.Adam(3e-3)
for epoch in range(6):
    for images in tf.data.Dataset.from_tensor_slices(x).shuffle(2000, seed=seed).batch(32):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.mse(images, model(images)))
        wanted = model.trainable_variables if healthy else model.decoder.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, wanted), wanted))
print("error", float(tf.reduce_mean((model(x_test) - x_test) ** 2)))
