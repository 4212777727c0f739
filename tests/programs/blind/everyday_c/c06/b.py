"""Convolutional denoising autoencoder on the digits images (TensorFlow)."""
import numpy as np
import tensorflow as tf
from keras import layers, losses, optimizers, utils, Input, Sequential
from sklearn.datasets import load_digits

BATCH = 64
EPOCHS = 20


def load_pairs():
    clean = (load_digits().images / 16.0).astype(np.float32)
    rng = np.random.default_rng(17)
    clean = clean[rng.permutation(len(clean))]
    noisy = np.clip(clean + rng.normal(0.0, 0.35, clean.shape), 0, 1).astype(np.float32)
    return noisy, clean


def build_autoencoder():
    return Sequential([
        Input((8, 8, 1)),
        # encoder
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(8, 1),
        # decoder
        layers.UpSampling2D(2, interpolation="nearest"),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.UpSampling2D(2, interpolation="nearest"),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same"),
    ])


bce_loss = losses.BinaryCrossentropy(from_logits=True)


def make_step(model, optimizer):
    @tf.function(reduce_retracing=True)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = bce_loss(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    return step


def main():
    utils.set_random_seed(2)
    noisy, clean = (a[..., np.newaxis] for a in load_pairs())
    x_train, y_train = noisy[:1437], clean[:1437]
    x_test, y_test = noisy[1437:], clean[1437:]
    dataset = (
        tf.data.Dataset.from_tensor_slices((x_train, y_train))
        .shuffle(len(x_train), reshuffle_each_iteration=True)
        .batch(BATCH, drop_remainder=False)
    )

    model = build_autoencoder()
    optimizer = optimizers.RMSprop(learning_rate=2e-3, rho=0.9, momentum=0.0, epsilon=1e-7)
    step = make_step(model, optimizer)

    for epoch in range(1, EPOCHS + 1):
        total = 0.0
        for x, y in dataset:
            total += float(step(x, y)) * len(x)
        if epoch % 4 == 0:
            print(f"epoch {epoch:2d}: bce {total / len(x_train):.4f}")

    logits = model(x_test, training=False)
    bce = float(bce_loss(y_test, logits))
    mse = float(np.mean((tf.sigmoid(logits).numpy() - y_test) ** 2))
    print(f"test bce {bce:.4f}, mse {mse:.5f}, mse of the noisy input {np.mean((x_test - y_test) ** 2):.5f}")


if __name__ == "__main__":
    main()
