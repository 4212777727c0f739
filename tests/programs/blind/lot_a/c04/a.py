import numpy as np
import keras
from keras import layers


def images(n, rng):
    x = rng.normal(scale=0.6, size=(n, 12, 12))
    y = rng.integers(0, 3, size=n)
    for i in range(n):
        r, c = rng.integers(1, 8, size=2)
        if y[i] == 0:
            x[i, r, c:c + 4] += 1.5
        elif y[i] == 1:
            x[i, r:r + 4, c] += 1.5
        else:
            for k in range(4):
                x[i, r + k, c + k] += 1.5
    return x.astype("float32"), y.astype("int64")


def build():
    return keras.Sequential([
        keras.Input((12, 12, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu"),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(3),
    ])


def main():
    rng = np.random.default_rng(99)
    x, y = images(1200, rng)
    xt, yt = images(400, rng)
    x, xt = x[..., None], xt[..., None]
    keras.utils.set_random_seed(1)
    model = build()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, y, batch_size=40, epochs=12, verbose=0)
    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        loss, acc = model.evaluate(xs, ys, batch_size=400, verbose=0)
        print(f"{name}: loss {loss:.4f} acc {acc:.4f}")


if __name__ == "__main__":
    main()
