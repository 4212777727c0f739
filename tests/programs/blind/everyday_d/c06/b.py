"""Denoising convolutional autoencoder on 8x8 digits, custom TensorFlow training loop."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.keras import Model, Sequential, layers, optimizers, regularizers, utils

N_TRAIN = 1500
BATCH = 40
EPOCHS = 8
WEIGHT_PENALTY = 1e-5


def make_images():
    images = load_digits().images.astype("float32") / 16.0
    rng = np.random.default_rng(100)
    clean = images[rng.permutation(len(images))][..., None]
    noisy = (clean + 0.25 * rng.normal(size=clean.shape)).astype("float32")
    return (noisy[:N_TRAIN], clean[:N_TRAIN]), (noisy[N_TRAIN:], clean[N_TRAIN:])


class Autoencoder(Model):
    def __init__(self):
        super().__init__()
        reg = dict(kernel_regularizer=regularizers.L2(WEIGHT_PENALTY))
        self.encoder = Sequential([
            layers.Conv2D(16, 3, padding="same", activation="relu", **reg),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, padding="same", activation="relu", **reg),
            layers.Flatten(),
            layers.Dense(24, **reg),
        ])
        self.decoder = Sequential([
            layers.Dense(4 * 4 * 16, activation="relu", **reg),
            layers.Reshape((4, 4, 16)),
            layers.Conv2DTranspose(16, 2, strides=2, activation="relu", **reg),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid", **reg),
        ])

    def call(self, images, training=False):
        return self.decoder(self.encoder(images, training=training), training=training)


def make_optimizer():
    return optimizers.RMSprop(1e-3, rho=0.9, epsilon=1e-7)


def make_train_step(model, optimizer):
    @tf.function
    def train_step(noisy, clean):
        with tf.GradientTape() as tape:
            recon = model(noisy, training=True)
            mse = tf.reduce_mean(tf.square(recon - clean))
            loss = mse + tf.add_n(model.losses)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return mse

    return train_step


def main():
    utils.set_random_seed(55)
    (x_tr, y_tr), (x_te, y_te) = make_images()
    train_ds = (tf.data.Dataset.from_tensor_slices((x_tr, y_tr))
                .shuffle(N_TRAIN, reshuffle_each_iteration=True)
                .batch(BATCH)
                .prefetch(tf.data.AUTOTUNE))
    model = Autoencoder()
    model(x_tr[:1])                                   # create the variables
    train_step = make_train_step(model, make_optimizer())

    for epoch in range(EPOCHS):
        total, count = 0.0, 0
        for noisy, clean in train_ds:
            total += float(train_step(noisy, clean)) * len(noisy)
            count += len(noisy)
        print(f"epoch {epoch + 1}/{EPOCHS} mse {total / count:.5f}")

    recon = model(x_te, training=False)
    print(f"test reconstruction mse {float(tf.reduce_mean(tf.square(recon - y_te))):.5f}")


if __name__ == "__main__":
    main()
