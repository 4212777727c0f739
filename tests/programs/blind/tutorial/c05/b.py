"""Metric learning with a shared embedding and the contrastive loss; Keras layers, GradientTape loop."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

MARGIN = 1.0
BATCH, EPOCHS = 64, 8


def make_pairs():
    rng = np.random.RandomState(42)
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    x = (digits.data[order] / 16.0).astype("float32")
    y = digits.target[order]
    x_tr, y_tr, x_te, y_te = x[:1200], y[:1200], x[1200:], y[1200:]
    by_class = [np.flatnonzero(y_tr == c) for c in range(10)]
    left, right, same = [], [], []
    for i in range(1200):
        for match in (1, 0):
            c = y_tr[i] if match else (y_tr[i] + rng.randint(1, 10)) % 10
            left.append(i)
            right.append(rng.choice(by_class[c]))
            same.append(match)
    pairs = np.stack([x_tr[left], x_tr[right]], axis=1)
    return pairs, np.array(same, dtype="float32"), (x_tr, y_tr), (x_te, y_te)


def build():
    return keras.Sequential([
        keras.Input((64,)),
        keras.layers.Dense(64, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        keras.layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        keras.layers.Dense(8, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def contrastive(model, pairs, same):
    u = model(pairs[:, 0], training=True)
    v = model(pairs[:, 1], training=True)
    squared = tf.reduce_sum(tf.square(u - v), axis=1) + 1e-6
    dist = tf.sqrt(squared)
    per_pair = same * squared + (1.0 - same) * tf.square(tf.maximum(MARGIN - dist, 0.0))
    return tf.reduce_mean(per_pair)


def knn_accuracy(model, gallery, queries):
    g, q = model(gallery[0]).numpy(), model(queries[0]).numpy()
    d = ((q[:, None, :] - g[None]) ** 2).sum(-1)
    return (gallery[1][d.argmin(1)] == queries[1]).mean()


def main():
    keras.utils.set_random_seed(8)
    pairs, same, train, test = make_pairs()
    model = build()
    opt = keras.optimizers.Adagrad(learning_rate=0.03, initial_accumulator_value=0.1, epsilon=1e-12)

    @tf.function
    def train_step(p, s):
        with tf.GradientTape() as tape:
            loss = contrastive(model, p, s)
        grads = tape.gradient(loss, model.trainable_variables)
        opt.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    ds = tf.data.Dataset.from_tensor_slices((pairs, same)).shuffle(len(same)).batch(BATCH)
    print(f"1-NN accuracy before {knn_accuracy(model, train, test):.4f}")
    for epoch in range(EPOCHS):
        mean = keras.metrics.Mean()
        for p, s in ds:
            mean.update_state(train_step(p, s), sample_weight=len(s))
        print(f"epoch {epoch + 1}: contrastive loss {float(mean.result()):.4f}")
    print(f"loss on all pairs {float(contrastive(model, tf.constant(pairs), tf.constant(same))):.4f}")
    print(f"1-NN accuracy after {knn_accuracy(model, train, test):.4f}")


if __name__ == "__main__":
    main()
