import numpy as np
import keras
from keras import layers


def load():
    rng = np.random.default_rng(12)
    n = 1100
    x = rng.normal(size=(n, 20)) * np.linspace(0.5, 4.0, 20) + np.linspace(-3, 3, 20)
    z = (x - np.linspace(-3, 3, 20)) / np.linspace(0.5, 4.0, 20)
    s = z[:, 0] + z[:, 1] - z[:, 2] + np.tanh(2 * z[:, 3]) + rng.normal(scale=0.7, size=n)
    y = np.digitize(s, [-0.7, 0.7])
    return x[:500].astype("float32"), y[:500], x[500:].astype("float32"), y[500:]


def build():
    return keras.Sequential([
        keras.Input((20,)),
        layers.Dense(64, use_bias=False),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.Activation("relu"),
        layers.Dropout(0.4),
        layers.Dense(32, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(3),
    ])


def main():
    keras.utils.set_random_seed(20)
    x, y, xt, yt = load()
    model = build()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9), loss=loss)
    model.fit(x, y, batch_size=25, epochs=25, shuffle=True, verbose=0)
    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        out = model.predict(xs, batch_size=len(xs), verbose=0)
        print(name, "loss", round(float(loss(ys, out)), 4), "acc", round(float((out.argmax(1) == ys).mean()), 4))


if __name__ == "__main__":
    main()
