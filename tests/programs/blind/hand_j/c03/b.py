"""Imbalanced digits with Keras: class_weight, Dropout, SGD with Nesterov momentum."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

BATCH, EPOCHS, LR, MU, RATE = 32, 10, 0.02, 0.9, 0.4


def make_data():
    digits = load_digits()
    x = (digits.images / 16.0).astype("float32")[..., None]
    y = digits.target.astype("int64")
    rng = np.random.default_rng(21)
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    x_test, y_test = x[:400], y[:400]
    x, y = x[400:], y[400:]
    keep = (y < 5) | (rng.random(len(y)) < 0.3)      # digits 5..9 are rare
    return x[keep], y[keep], x_test, y_test


def build(rate=RATE):
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(rate),
        layers.Dense(10),
    ])


def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.SGD(LR, momentum=MU, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def main():
    x, y, x_test, y_test = make_data()
    counts = np.bincount(y, minlength=10)
    class_weight = {k: len(y) / (10.0 * counts[k]) for k in range(10)}

    keras.utils.set_random_seed(17)
    model = build()
    compile_model(model)
    rng = np.random.default_rng(17)
    for _ in range(EPOCHS):                   # a fresh permutation for each epoch
        order = rng.permutation(len(x))
        model.fit(x[order], y[order], batch_size=BATCH, epochs=1, shuffle=False,
                  class_weight=class_weight, verbose=2)
    loss, acc = model.evaluate(x_test, y_test, verbose=0)
    print(f"test loss {loss:.4f} acc {acc:.4f}")


if __name__ == "__main__":
    main()
