"""Digit images with a small convolutional network (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

BATCH_SIZE = 48
EPOCHS = 10


def load_data():
    digits = load_digits()
    order = np.random.default_rng(3).permutation(len(digits.target))
    images = (digits.images[order] / 16.0).astype("float32")
    labels = digits.target[order].astype("int64")
    return (images[:1440], labels[:1440]), (images[1440:], labels[1440:])


def conv_block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(epsilon=1e-5)(x)
    return layers.Activation("relu")(x)


def build_model():
    inputs = keras.Input((8, 8, 1))
    x = conv_block(inputs, 16)
    x = layers.MaxPooling2D(2)(x)
    x = conv_block(x, 32)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10)(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def main():
    keras.utils.set_random_seed(11)
    (x_train, y_train), (x_test, y_test) = load_data()
    model = build_model()
    model.fit(
        x_train[..., None],
        y_train,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation_data=(x_test[..., None], y_test),
        verbose=2,
    )


if __name__ == "__main__":
    main()
