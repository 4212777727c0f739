"""Digit images: small conv net with batch normalisation (Keras)."""
import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_digits

N_TRAIN = 1400
BATCH_SIZE = 64
EPOCHS = 8
L2 = 5e-4          # loss term 5e-4 * sum(w^2), i.e. gradient 1e-3 * w


def load_images():
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    x = (digits.images[order] / 16.0).astype("float32")
    y = digits.target[order].astype("int64")
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def conv_block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False,
                      kernel_initializer="he_uniform",
                      kernel_regularizer=regularizers.L2(L2))(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(x)
    return layers.ReLU()(x)


def build_model():
    inputs = keras.Input((8, 8, 1))
    x = conv_block(inputs, 16)
    x = conv_block(x, 24)
    x = layers.MaxPooling2D(2)(x)
    x = conv_block(x, 32)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10, kernel_regularizer=regularizers.L2(L2))(x)
    model = keras.Model(inputs, outputs)
    model.compile(
        optimizer=keras.optimizers.SGD(0.02, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def main():
    keras.utils.set_random_seed(77)
    x_tr, y_tr, x_te, y_te = load_images()
    model = build_model()
    model.fit(x_tr[..., None], y_tr, batch_size=BATCH_SIZE, epochs=EPOCHS,
              shuffle=True, verbose=2)
    result = model.evaluate(x_te[..., None], y_te, verbose=0, return_dict=True)
    print(f"test loss {result['loss']:.4f} acc {result['accuracy']:.4f}")


if __name__ == "__main__":
    main()
