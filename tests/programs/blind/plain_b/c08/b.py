"""Rising or falling chirp? LSTM in Keras with a GradientTape loop."""
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import tensorflow as tf
import keras
from keras import layers

HIDDEN = 24
LENGTH = 28
BATCH = 40
EPOCHS = 8


def make_chirps(n=1500, seed=123):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    t = np.linspace(0.0, 1.0, LENGTH)
    low, high = rng.uniform(1.0, 2.0, n), rng.uniform(4.0, 6.0, n)
    f0 = np.where(label == 1, low, high)[:, None]
    f1 = np.where(label == 1, high, low)[:, None]
    phase = 2 * np.pi * (f0 * t + 0.5 * (f1 - f0) * t ** 2) + rng.uniform(0, 2 * np.pi, n)[:, None]
    noise = 0.4 * rng.standard_normal((2, n, LENGTH))
    x = np.stack([np.sin(phase) + noise[0], np.cos(phase) + noise[1]], axis=-1)
    return x.astype("float32"), label.astype("float32")[:, None]


def build_model():
    return keras.Sequential([
        keras.Input((LENGTH, 2)),
        layers.LSTM(
            HIDDEN,
            kernel_initializer="glorot_uniform",
            recurrent_initializer="orthogonal",
            bias_initializer="zeros",
            unit_forget_bias=True,
        ),
        layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def main():
    keras.utils.set_random_seed(4321)
    x, y = make_chirps()
    x_train, y_train, x_test, y_test = x[:1150], y[:1150], x[1150:], y[1150:]
    dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train))
    dataset = dataset.shuffle(len(x_train), reshuffle_each_iteration=True).batch(BATCH, drop_remainder=False)

    model = build_model()
    criterion = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(learning_rate=5e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)

    @tf.function(reduce_retracing=True)
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            loss = criterion(yb, model(xb, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    for epoch in range(EPOCHS):
        total = 0.0
        for xb, yb in dataset:
            total += float(train_step(xb, yb)) * len(xb)
        print(f"epoch {epoch + 1}: {total / len(x_train):.4f}")

    logits = model(x_test, training=False).numpy()
    print(f"test bce {float(criterion(y_test, logits)):.4f}")
    print(f"test accuracy {np.mean((logits > 0).astype('float32') == y_test):.4f}")


if __name__ == "__main__":
    main()
