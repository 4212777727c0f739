"""Siamese network on pairs of digits, contrastive loss (Keras)."""
import random

import numpy as np
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

MARGIN = 1.0
BATCH_SIZE = 100
EPOCHS = 8


def make_pairs(n_train=4000, n_test=1000, seed=13):
    """Half of the pairs show the same digit (label 1); test images are never trained on."""
    digits = load_digits()
    images = (digits.data / 16.0).astype(np.float32)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))

    def draw(pool, n):
        left, right, same = [], [], []
        by_class = [pool[digits.target[pool] == c] for c in range(10)]
        for k in range(n):
            c = rng.integers(10)
            d = c if k % 2 == 0 else (c + rng.integers(1, 10)) % 10
            left.append(rng.choice(by_class[c]))
            right.append(rng.choice(by_class[d]))
            same.append(float(c == d))
        return images[left], images[right], np.array(same, dtype=np.float32)[:, None]

    return draw(order[:1300], n_train), draw(order[1300:], n_test)


def build_encoder():
    return keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(96, activation="relu"),
            layers.Dense(48, activation="relu"),
            layers.Dense(16),
        ],
        name="encoder",
    )


class EuclideanDistance(layers.Layer):
    def call(self, a, b):
        return ops.sqrt(ops.sum(ops.square(a - b), axis=1, keepdims=True) + 1e-6)


def contrastive_loss(same, distance):
    near = same * ops.square(distance)
    far = (1.0 - same) * ops.square(ops.relu(MARGIN - distance))
    return ops.mean(near + far, axis=-1)


def build_siamese():
    encoder = build_encoder()
    left, right = keras.Input((64,)), keras.Input((64,))
    distance = EuclideanDistance()(encoder(left), encoder(right))
    model = keras.Model([left, right], distance)
    model.compile(
        optimizer=keras.optimizers.Adagrad(
            learning_rate=0.02, initial_accumulator_value=0.1, epsilon=1e-12
        ),
        loss=contrastive_loss,
    )
    return model


def main():
    random.seed(101)  # Keras draws the seeds of its initialisers from here
    (left, right, same), (left_t, right_t, same_t) = make_pairs()
    model = build_siamese()
    model.fit(
        [left, right], same, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=True,
        validation_data=([left_t, right_t], same_t), verbose=2,
    )
    distance = model.predict([left_t, right_t], batch_size=BATCH_SIZE, verbose=0)
    accuracy = np.mean((distance < MARGIN / 2) == (same_t > 0.5))
    print(f"pair accuracy on unseen images: {accuracy:.4f}")


if __name__ == "__main__":
    main()
