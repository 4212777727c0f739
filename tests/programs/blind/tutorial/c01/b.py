"""Small convnet on 20x20 digits with keras and model.fit."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

SEED = 21


def make_data():
    rng = np.random.RandomState(1234)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    images = (digits.images[order] / 16.0).astype("float32")
    labels = digits.target[order].astype("int64")
    canvas = np.zeros((len(images), 20, 20), dtype="float32")
    for i, img in enumerate(images):
        r, c = rng.randint(0, 5, size=2)
        canvas[i, r:r + 16, c:c + 16] = np.kron(img, np.ones((2, 2), dtype="float32"))
    return (canvas[:1450, ..., None], labels[:1450]), (canvas[1450:, ..., None], labels[1450:])


def build():
    return keras.Sequential([
        keras.Input((20, 20, 1)),
        layers.Conv2D(12, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.4),
        layers.Dense(10),
    ])


def main():
    keras.utils.set_random_seed(SEED)
    (x_train, y_train), (x_test, y_test) = make_data()
    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )
    train = tf.data.Dataset.from_tensor_slices((x_train, y_train))
    train = train.shuffle(len(y_train), reshuffle_each_iteration=True).batch(32)
    model.fit(train, epochs=6, validation_data=(x_test, y_test), verbose=2)
    loss, acc = model.evaluate(x_test, y_test, verbose=0)
    print(f"final: test loss {loss:.4f}  test acc {acc:.4f}")


if __name__ == "__main__":
    main()
