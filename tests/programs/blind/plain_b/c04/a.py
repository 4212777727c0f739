"""Spiral classification, Keras fit()."""
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
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
    model.compile(
        optimizer=keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True),
        loss=keras.losses.CategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    for epoch, value in enumerate(history.history["loss"], 1):
        print(f"epoch {epoch:2d}  loss {value:.4f}")
    loss, acc = model.evaluate(x_test, y_test, batch_size=BATCH, verbose=0)
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
