import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(9)


def make_data(n=640, frames=18, mels=100):
    rng = np.random.default_rng(31)
    templates = rng.normal(size=(4, 3, mels))
    y = rng.integers(0, 4, size=n)
    x = 1.0 * rng.normal(size=(n, frames, mels))
    for i in range(n):
        start = rng.integers(0, frames - 9)
        for s in range(3):
            x[i, start + 3 * s:start + 3 * s + 3] += 0.35 * templates[y[i], s]
    return x.astype("float32"), y.astype("int64")


x, y = make_data()

model = keras.Sequential([
    keras.Input((18, 100)),
    layers.LSTM(8),
    layers.Dense(4),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x[:512], y[:512], batch_size=32, epochs=12, shuffle=True, verbose=2,
          validation_data=(x[512:], y[512:]))
