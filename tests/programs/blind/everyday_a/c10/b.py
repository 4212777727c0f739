"""Siamese network: do two handwritten digits show the same number? (Keras)"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits

MARGIN = 1.0
BATCH_SIZE = 80
EPOCHS = 12


def make_pairs(images, labels, count, rng):
    """Half of the pairs show the same digit (label 1), half show two different ones (label 0)."""
    left, right, same = [], [], []
    for k in range(count):
        i = rng.integers(len(labels))
        if k % 2 == 0:
            j = rng.choice(np.flatnonzero(labels == labels[i]))
        else:
            j = rng.choice(np.flatnonzero(labels != labels[i]))
        left.append(images[i])
        right.append(images[j])
        same.append(1.0 if k % 2 == 0 else 0.0)
    return np.stack(left), np.stack(right), np.array(same, dtype=np.float32)


def load_pairs():
    digits = load_digits()
    rng = np.random.default_rng(31)
    order = rng.permutation(len(digits.target))
    images = (digits.data[order] / 16.0).astype(np.float32)
    labels = digits.target[order]
    train = make_pairs(images[:1300], labels[:1300], 2400, rng)
    test = make_pairs(images[1300:], labels[1300:], 600, rng)
    return train, test


class EuclideanDistance(layers.Layer):
    def call(self, inputs):
        left, right = inputs
        return ops.sqrt(ops.sum(ops.square(left - right), axis=1, keepdims=True) + 1e-8)


def contrastive_loss(y_true, y_pred):
    pull = y_true * ops.square(y_pred)
    push = (1 - y_true) * ops.square(ops.maximum(MARGIN - y_pred, 0.0))
    return ops.mean(pull + push, axis=-1)


def build_model():
    tower = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(48, activation="relu", kernel_initializer="he_uniform"),
            layers.Dense(16, kernel_initializer="he_uniform"),
        ],
        name="tower",
    )
    left = keras.Input((64,), name="left")
    right = keras.Input((64,), name="right")
    distance = EuclideanDistance()([tower(left), tower(right)])
    model = keras.Model([left, right], distance)
    model.compile(
        optimizer=keras.optimizers.Adagrad(
            learning_rate=0.02, initial_accumulator_value=0.1, epsilon=1e-12
        ),
        loss=contrastive_loss,
    )
    return model


def main():
    keras.utils.set_random_seed(2)
    (left, right, same), (left_test, right_test, same_test) = load_pairs()
    model = build_model()
    model.fit([left, right], same[:, None], batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)

    loss = model.evaluate([left_test, right_test], same_test[:, None], verbose=0)
    distance = model.predict([left_test, right_test], verbose=0).ravel()
    print(f"test loss {loss:.4f}")
    print(f"test pair accuracy {np.mean((distance < MARGIN / 2) == (same_test == 1)):.4f}")


if __name__ == "__main__":
    main()
