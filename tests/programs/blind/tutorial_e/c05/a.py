"""Transfer learning: pretrain on four shapes, freeze the base, learn four new shapes (compile and fit)."""
import numpy as np
import keras
from keras import layers


def draw(kind, rng):
    yy, xx = np.mgrid[0:16, 0:16]
    cy, cx = rng.uniform(6, 10, size=2)
    r = rng.uniform(3, 6)
    dy, dx = yy - cy, xx - cx
    dist = np.sqrt(dy ** 2 + dx ** 2)
    box = np.maximum(abs(dy), abs(dx))
    if kind == 0:
        img = dist < r                                   # disk
    elif kind == 1:
        img = abs(dist - r) < 1.0                        # ring
    elif kind == 2:
        img = box < r                                    # square
    elif kind == 3:
        img = ((abs(dy) < 1.2) | (abs(dx) < 1.2)) & (box < r)   # plus
    elif kind == 4:
        img = abs(box - r) < 1.0                         # frame
    elif kind == 5:
        img = ((abs(dy - dx) < 1.6) | (abs(dy + dx) < 1.6)) & (box < r)  # cross
    elif kind == 6:
        img = (abs(dy) < r) & (abs(dx) < (dy + r) / 2)   # triangle
    else:
        img = (yy.astype(int) // 2 + xx.astype(int) // 2) % 2 * (box < r)  # checks
    return img.astype("float32") + rng.normal(0, 0.25, size=(16, 16)).astype("float32")


def make_task(kinds, n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(kinds), size=n)
    x = np.stack([draw(kinds[k], rng) for k in y]).astype("float32")
    return x[..., None], y.astype("int64")


def build_base():
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        layers.Conv2D(12, 3, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
    ], name="base")


def main():
    keras.utils.set_random_seed(17)
    xs, ys = make_task([0, 1, 2, 3], 1200, seed=1)
    xt, yt = make_task([4, 5, 6, 7], 300, seed=2)
    xv, yv = make_task([4, 5, 6, 7], 400, seed=3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    # 1. pretraining
    base = build_base()
    source = keras.Sequential([base, layers.Dense(4)])
    source.compile(keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
                   loss=loss, metrics=["accuracy"])
    source.fit(xs, ys, batch_size=50, epochs=8, shuffle=True, verbose=2)

    # 2. a new head on the frozen base
    base.trainable = False
    target = keras.Sequential([
        base,
        layers.Dense(16, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(4),
    ])
    target.compile(keras.optimizers.SGD(learning_rate=0.05, momentum=0.9), loss=loss,
                   metrics=["accuracy"])
    target.fit(xt, yt, batch_size=32, epochs=25, shuffle=True, verbose=2)

    value, acc = target.evaluate(xv, yv, batch_size=len(xv), verbose=0)
    print(f"new task: test loss {value:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
