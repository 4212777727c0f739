import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

BATCH, EPOCHS, LR = 64, 14, 3e-3


def load():
    digits = load_digits()
    x = (digits.images / 16.0).astype("float32")[..., None]
    y = digits.target.astype("int32")
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def build():
    inputs = keras.Input((8, 8, 1))
    h = inputs
    for filters, stride in ((12, 1), (24, 2)):
        h = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(h)
        h = layers.BatchNormalization(momentum=0.9)(h)
        h = layers.ReLU()(h)
    h = layers.GlobalAveragePooling2D()(h)
    h = layers.Dropout(0.2)(h)
    return keras.Model(inputs, layers.Dense(10)(h))


def main():
    keras.utils.set_random_seed(1021)
    x_train, y_train, x_test, y_test = load()
    net = build()
    optimizer = keras.optimizers.Adam(LR)
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    train_loss = keras.metrics.Mean()
    train_acc = keras.metrics.SparseCategoricalAccuracy()

    dataset = (
        tf.data.Dataset.from_tensor_slices((x_train, y_train))
        .shuffle(len(x_train), reshuffle_each_iteration=True)
        .batch(BATCH, drop_remainder=False)
    )

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            logits = net(xb)
            loss = loss_fn(yb, logits)
        grads = tape.gradient(loss, net.trainable_weights)
        optimizer.apply(grads, net.trainable_weights)
        train_loss.update_state(loss, sample_weight=tf.shape(xb)[0])
        train_acc.update_state(yb, logits)

    for epoch in range(EPOCHS):
        train_loss.reset_state()
        train_acc.reset_state()
        for xb, yb in dataset:
            step(xb, yb)
        print(f"Epoch {epoch + 1}/{EPOCHS} - accuracy: {float(train_acc.result()):.4f} - loss: {float(train_loss.result()):.4f}")

    logits = net(x_test, training=False)
    loss = float(loss_fn(y_test, logits))
    acc = float(np.mean(np.argmax(logits, -1) == y_test))
    print(f"test: loss={loss:.4f} accuracy={acc:.4f}")


if __name__ == "__main__":
    main()
