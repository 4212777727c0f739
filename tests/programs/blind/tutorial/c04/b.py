"""Beta-VAE on 8x8 digits written as a plain TensorFlow loop: encoder, decoder, tape, learning rate set by hand."""
import math
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

LATENT = 4
BATCH, EPOCHS, N_TRAIN = 50, 12, 1500
BASE_LR = 0.003
KL_WEIGHT = 0.2


def make_data():
    rng = np.random.RandomState(0)
    images = (load_digits().images / 16.0).astype("float32")[..., None]
    images = images[rng.permutation(len(images))]
    return images[:N_TRAIN], images[N_TRAIN:]


def build_encoder():
    # one dense layer per statistic, glued together: columns 0..3 mean, 4..7 log variance
    inp = keras.Input((8, 8, 1))
    h = keras.layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inp)
    h = keras.layers.Conv2D(24, 3, strides=1, padding="same", activation="relu")(h)
    h = keras.layers.Flatten()(h)
    h = keras.layers.Dense(32, activation="relu")(h)
    stats = [keras.layers.Dense(LATENT, name=n)(h) for n in ("mean", "log_var")]
    return keras.Model(inp, keras.layers.Concatenate()(stats), name="encoder")


def build_decoder():
    return keras.Sequential([
        keras.Input((LATENT,)),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Reshape((4, 4, 16)),
        keras.layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(1, 3, padding="same"),
    ], name="decoder")


def elbo_terms(encoder, decoder, x, noise):
    mu, log_var = tf.split(encoder(x, training=True), 2, axis=1)
    z = mu + tf.exp(log_var / 2) * noise
    logits = decoder(z, training=True)
    rec = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)) / tf.cast(tf.shape(x)[0], tf.float32)
    kl = tf.reduce_mean(0.5 * tf.reduce_sum(tf.square(mu) + tf.exp(log_var) - log_var - 1.0, axis=1))
    return rec, kl


def main():
    keras.utils.set_random_seed(2)
    x_train, x_test = make_data()
    encoder, decoder = build_encoder(), build_decoder()
    variables = encoder.trainable_variables + decoder.trainable_variables
    opt = keras.optimizers.AdamW(learning_rate=BASE_LR, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    opt.exclude_from_weight_decay(var_names=["bias"])
    opt.build(variables)

    @tf.function
    def step(x):
        noise = tf.random.normal((tf.shape(x)[0], LATENT))
        with tf.GradientTape() as tape:
            rec, kl = elbo_terms(encoder, decoder, x, noise)
            loss = rec + KL_WEIGHT * kl
        opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return rec, kl

    data = tf.data.Dataset.from_tensor_slices(x_train).shuffle(N_TRAIN, reshuffle_each_iteration=True).batch(BATCH)
    total_steps = EPOCHS * (N_TRAIN // BATCH)
    t = 0
    for epoch in range(EPOCHS):
        sums = np.zeros(2)
        for x in data:
            opt.learning_rate = 0.5 * BASE_LR * (1.0 + math.cos(math.pi * t / total_steps))
            rec, kl = step(x)
            t += 1
            sums += [float(rec) * len(x), float(kl) * len(x)]
        rec, kl = sums / N_TRAIN
        print(f"epoch {epoch + 1:2d}: loss {rec + KL_WEIGHT * kl:.3f}  reconstruction {rec:.3f}  kl {kl:.3f}")

    mu, log_var = np.split(encoder(x_test, training=False).numpy(), 2, axis=1)
    logits = decoder(mu, training=False).numpy()
    rec = np.logaddexp(0, logits) - x_test * logits
    kl = -0.5 * (1 + log_var - mu ** 2 - np.exp(log_var)).sum(1)
    print(f"test: reconstruction from the mean {rec.sum((1, 2, 3)).mean():.3f}  kl {kl.mean():.3f}")


if __name__ == "__main__":
    main()
