"""Tiny pre-norm transformer over the rows of the digits images, Keras."""
import math
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

SEED = 2
DIM, HEADS, DEPTH, FF = 32, 4, 2, 64
BATCH, EPOCHS = 56, 12
PEAK_LR, DECAY = 3e-3, 0.01
N_TRAIN = 1400


def load():
    digits = load_digits()
    order = np.random.default_rng(77).permutation(len(digits.target))
    rows = (digits.images[order] / 16.0).astype("float32")
    return rows, digits.target[order].astype("int64")


class AddPosition(layers.Layer):
    def build(self, shape):
        self.pos = self.add_weight(
            shape=(shape[1], shape[2]),
            initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.02),
            name="pos",
        )

    def call(self, x):
        return x + self.pos


def dense(units, activation=None):
    return layers.Dense(units, activation=activation, kernel_initializer="glorot_uniform", bias_initializer="zeros")


def exact_gelu(x):
    return keras.activations.gelu(x, approximate=False)


def block(x):
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(
        num_heads=HEADS, key_dim=DIM // HEADS, use_bias=False, dropout=0.0, kernel_initializer="glorot_uniform"
    )(h, h)
    x = layers.Add()([x, h])
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = dense(FF, activation=exact_gelu)(h)
    h = dense(DIM)(h)
    h = layers.Dropout(0.1)(h)
    return layers.Add()([x, h])


def build_model():
    inputs = keras.Input((8, 8))
    x = AddPosition()(dense(DIM)(inputs))
    for _ in range(DEPTH):
        x = block(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, dense(10)(x))


def main():
    keras.utils.set_random_seed(SEED)
    x, y = load()
    x_train, y_train, x_test, y_test = x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]

    model = build_model()
    steps = EPOCHS * math.ceil(N_TRAIN / BATCH)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(PEAK_LR, decay_steps=steps, alpha=0.0),
            beta_1=0.9, beta_2=0.999, epsilon=1e-12, weight_decay=DECAY,
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    for epoch, loss in enumerate(history.history["loss"], 1):
        print(f"epoch {epoch:2d}  loss {loss:.4f}")

    loss, acc = model.evaluate(x_test, y_test, batch_size=len(x_test), verbose=0)
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
