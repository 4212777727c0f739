import numpy as np
import keras
from keras import layers

HID = 20


def waves(n, rng):
    y = rng.integers(0, 3, size=n)
    t = np.arange(24)
    freq = np.array([0.5, 0.62, 0.75])[y][:, None]
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    s = np.sin(freq * t + phase) + rng.normal(scale=0.3, size=(n, 24))
    c = np.cos(freq * t + phase) + rng.normal(scale=0.3, size=(n, 24))
    return np.stack([s, c], -1).astype("float32"), y.astype("int64")


def build():
    inp = keras.Input((24, 2))
    h = layers.LSTM(HID, kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                    bias_initializer="zeros", unit_forget_bias=True)(inp)
    return keras.Model(inp, layers.Dense(3)(h))


def main():
    keras.utils.set_random_seed(77)
    rng = np.random.default_rng(12)
    x, y = waves(600, rng)
    xt, yt = waves(300, rng)
    model = build()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=4e-3, epsilon=1e-12),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, y, batch_size=30, epochs=15, shuffle=True, verbose=0)
    print("train ce %.4f" % model.evaluate(x, y, batch_size=600, verbose=0)[0])
    print("test ce %.4f acc %.3f" % tuple(model.evaluate(xt, yt, batch_size=300, verbose=0)))


if __name__ == "__main__":
    main()
