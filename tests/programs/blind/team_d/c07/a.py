"""Sound events from small spectrograms: convolutional network with Keras fit."""
import numpy as np
import keras
from keras import layers

CLASSES, SIZE = 5, 24


def make_data(n=1500):
    rng = np.random.default_rng(88)
    f = np.arange(SIZE)[:, None]
    t = np.arange(SIZE)[None, :]
    x = np.zeros((n, SIZE, SIZE))
    y = rng.integers(0, CLASSES, n)
    for i in range(n):
        f0, slope = rng.uniform(5, 18), rng.uniform(0.3, 0.6)
        t0 = rng.uniform(8, 16)
        if y[i] == 0:                                           # rising chirp
            line = f0 + slope * (t - t0)
        elif y[i] == 1:                                         # falling chirp
            line = f0 - slope * (t - t0)
        elif y[i] == 2:                                         # steady tone
            line = f0 + 0 * t
        elif y[i] == 3:                                         # warble
            line = f0 + 2.5 * np.sin(2 * np.pi * t / rng.uniform(7, 11))
        else:                                                   # click
            line = None
        x[i] = np.exp(-(f - line) ** 2 / 2) if line is not None else np.exp(-(t - t0) ** 2 / 2) + 0 * f
        x[i] += 0.35 * rng.normal(size=(SIZE, SIZE))
    x = ((x - x.mean()) / x.std()).astype("float32")
    return x[:1200], y[:1200], x[1200:], y[1200:]


def build_model():
    model = keras.Sequential([keras.Input((SIZE, SIZE, 1))])
    for channels in (8, 16):
        model.add(layers.Conv2D(channels, 3, padding="same", use_bias=False, kernel_initializer="he_uniform"))
        model.add(layers.GroupNormalization(groups=4, epsilon=1e-5))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Conv2D(24, 3, padding="valid", use_bias=True, kernel_initializer="he_uniform",
                            bias_initializer="zeros", activation="relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(CLASSES, kernel_initializer="glorot_uniform", bias_initializer="zeros"))
    return model


def main():
    keras.utils.set_random_seed(7)
    x, y, xt, yt = make_data()
    model = build_model()
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True),
                  loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
                  metrics=[keras.metrics.CategoricalAccuracy(name="acc")])
    onehot = np.eye(CLASSES, dtype="float32")
    model.fit(x[..., None], onehot[y], batch_size=40, epochs=10, shuffle=True, verbose=2)
    loss, acc = model.evaluate(x=xt[..., None], y=onehot[yt], batch_size=100, verbose=0)
    print(f"test loss {loss:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
