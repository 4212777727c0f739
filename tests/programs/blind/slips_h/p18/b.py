"""Spiral classification, hand-written GradientTape loop."""
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers

SEED = 7
N_CLASS = 5
BATCH = 50
EPOCHS = 15


def make_spirals(n_per_class=260, seed=99):
    rng = np.random.default_rng(seed)
    xs, ys = [], []
    for k in range(N_CLASS):
        r = np.linspace(0.05, 1.0, n_per_class)
        theta = 2 * np.pi * k / N_CLASS + 2.6 * r + 0.12 * rng.standard_normal(n_per_class)
        feats = np.stack([r * np.cos(theta), r * np.sin(theta), r * np.cos(2 * theta), r * np.sin(2 * theta)], axis=1)
        xs.append(feats)
        ys.append(np.full(n_per_class, k))
    x = np.concatenate(xs).astype("float32")
    y = np.eye(N_CLASS, dtype="float32")[np.concatenate(ys)]
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    return (x[:1020], y[:1020]), (x[1020:], y[1020:])


def build_model():
    return keras.Sequential([
        keras.Input(shape=(4,)),
        layers.Dense(64, activation="tanh", kernel_regularizer=regularizers.L2(2e-4)),
        layers.Dropout(0.1),
        layers.Dense(32, activation="tanh", kernel_regularizer=regularizers.L2(2e-4)),
        layers.Dense(N_CLASS, activation="softmax"),
    ])


def main():
    keras.utils.set_random_seed(SEED)
    (x_train, y_train), (x_test, y_test) = make_spirals()
    model = build_model()
    schedule = keras.optimizers.schedules.ExponentialDecay(0.08, decay_steps=100, decay_rate=0.8)
    optimizer = keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True)
    loss_fn = keras.losses.CategoricalCrossentropy()

    @tf.function(reduce_retracing=True)
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            probs = model(xb, training=True)
            loss = loss_fn(yb, probs)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    n = len(x_train)
    for epoch in range(EPOCHS):
        order = np.random.permutation(n)
        total = 0.0
        for start in range(0, n, BATCH):
            idx = order[start:start + BATCH]
            loss = train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))
            total += float(loss) * len(idx)
        print(f"epoch {epoch + 1:2d}  loss {total / n:.4f}")

    probs = model(x_test, training=False)
    loss = float(loss_fn(y_test, probs) + tf.add_n(model.losses))
    acc = float(np.mean(np.argmax(probs, axis=1) == np.argmax(y_test, axis=1)))
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
