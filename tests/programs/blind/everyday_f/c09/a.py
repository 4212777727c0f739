"""Siamese network on digit pairs with the contrastive loss (TensorFlow, custom loop)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

MARGIN = 1.0
BATCH = 64
EPOCHS = 12


def load_pairs(seed=13):
    """Pairs of digit images; 1.0 = same digit. Training and test images are disjoint."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    order = rng.permutation(len(X))
    X, y = (X[order] / 16.0).astype(np.float32), y[order]

    def draw(X, y, n):
        by_class = [np.flatnonzero(y == c) for c in range(10)]
        left, right, same = [], [], []
        for k in range(n):
            i = rng.integers(len(X))
            if k % 2 == 0:
                j = rng.choice(by_class[y[i]])
            else:
                j = rng.choice(by_class[(y[i] + rng.integers(1, 10)) % 10])
            left.append(i), right.append(j), same.append(1.0 - k % 2)
        return X[left], X[right], np.array(same, dtype=np.float32)

    return draw(X[:1300], y[:1300], 2500), draw(X[1300:], y[1300:], 800)


def build_siamese():
    encoder = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu", kernel_initializer="he_uniform"),
            layers.Dense(32, activation="relu", kernel_initializer="he_uniform"),
            layers.Dense(12, kernel_initializer="he_uniform"),
        ],
        name="encoder",
    )
    left, right = keras.Input((64,)), keras.Input((64,))
    diff = layers.Subtract()([encoder(left), encoder(right)])
    distance = layers.Lambda(
        lambda d: keras.ops.sqrt(keras.ops.sum(keras.ops.square(d), axis=-1) + 1e-6),
        output_shape=(),
    )(diff)
    return keras.Model([left, right], distance)


def contrastive_loss(same, distance):
    pull = same * tf.square(distance)
    push = (1.0 - same) * tf.square(tf.maximum(MARGIN - distance, 0.0))
    return tf.reduce_mean(pull + push)


def main():
    keras.utils.set_random_seed(5)
    (left, right, same), test = load_pairs()
    dataset = tf.data.Dataset.from_tensor_slices((left, right, same))
    dataset = dataset.shuffle(len(same), reshuffle_each_iteration=True).batch(BATCH)

    model = build_siamese()
    optimizer = keras.optimizers.Adagrad(
        learning_rate=0.05, initial_accumulator_value=0.1, epsilon=1e-10)

    @tf.function(reduce_retracing=True)
    def step(left, right, same):
        with tf.GradientTape() as tape:
            loss = contrastive_loss(same, model([left, right], training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    for epoch in range(EPOCHS):
        total, count = 0.0, 0
        for lb, rb, sb in dataset:
            total += float(step(lb, rb, sb)) * len(sb)
            count += len(sb)
        print(f"epoch {epoch + 1}: {total / count:.4f}")

    distance = model(list(test[:2]), training=False)
    loss = float(contrastive_loss(test[2], distance))
    accuracy = np.mean((distance.numpy() < MARGIN / 2) == (test[2] == 1.0))
    print(f"test loss {loss:.4f}, pair accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
