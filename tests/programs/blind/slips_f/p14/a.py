"""Handwritten digits with a small batch-normalised CNN (Keras)."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers, regularizers
from sklearn.datasets import load_digits

L2 = 1e-4
BATCH_SIZE = 64
EPOCHS = 8


def load_data():
    digits = load_digits()
    images = (digits.images / 16.0).astype("float32")[..., None]
    labels = digits.target.astype("int64")
    order = np.random.RandomState(0).permutation(len(images))
    train, test = order[:1437], order[1437:]
    return images[train], labels[train], images[test], labels[test]


def conv_block(x, filters):
    x = layers.Conv2D(
        filters, 3, padding="same", use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=regularizers.L2(L2),
    )(x)
    x = layers.BatchNormalization(epsilon=1e-5)(x)
    return layers.Activation("relu")(x)


def build_model():
    inputs = keras.Input((8, 8, 1))
    x = conv_block(inputs, 16)
    x = conv_block(x, 32)
    x = layers.MaxPooling2D(2)(x)
    x = conv_block(x, 64)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.25)(x)
    outputs = layers.Dense(
        10, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=regularizers.L2(L2),
    )(x)
    return keras.Model(inputs, outputs)


def main():
    keras.utils.set_random_seed(42)
    x_train, y_train, x_test, y_test = load_data()
    train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train))
    train_ds = train_ds.shuffle(len(x_train), reshuffle_each_iteration=True).batch(BATCH_SIZE)
    test_ds = tf.data.Dataset.from_tensor_slices((x_test, y_test)).batch(BATCH_SIZE)

    model = build_model()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(train_ds, epochs=EPOCHS, validation_data=test_ds, verbose=2)
    loss, accuracy = model.evaluate(test_ds, verbose=0)
    print(f"test loss {loss:.4f}  test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
