"""Handwritten digits with a small batch-normalised CNN (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

EPOCHS = 14
BATCH = 64
LR = 3e-3
N_TRAIN = 1500


def load():
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images = (images[order] / 16.0).astype("float32").reshape(-1, 8, 8, 1)
    labels = labels[order].astype("int64")
    return images[:N_TRAIN], labels[:N_TRAIN], images[N_TRAIN:], labels[N_TRAIN:]


def conv_block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    x = layers.ReLU()(x)
    return layers.MaxPooling2D(2)(x)


def build_model():
    inputs = keras.Input((8, 8, 1))
    x = conv_block(inputs, 16)
    x = conv_block(x, 32)
    x = layers.Flatten()(x)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(inputs, layers.Dense(10)(x))


def main():
    keras.utils.set_random_seed(99)
    x_train, y_train, x_test, y_test = load()
    train_ds = (
        tf.data.Dataset.from_tensor_slices((x_train, y_train))
        .shuffle(len(x_train), reshuffle_each_iteration=True)
        .batch(BATCH)
    )
    steps_per_epoch = len(train_ds)

    model = build_model()
    schedule = keras.optimizers.schedules.CosineDecay(LR, decay_steps=EPOCHS * steps_per_epoch)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(train_ds, epochs=EPOCHS, verbose=2)
    loss, acc = model.evaluate(x_test, y_test, batch_size=len(x_test), verbose=0)
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
