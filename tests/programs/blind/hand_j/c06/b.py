import numpy as np
import keras
from keras import layers

LENGTH, MICRO, ACCUM, EPOCHS = 48, 16, 4, 18
LR, DELTA = 0.05, 0.5


def make_signals(n, rng):
    """Noisy tones; the target is the (rescaled) frequency, with a few wild labels in it."""
    f = rng.uniform(0.05, 0.25, size=n)
    t = np.arange(LENGTH)
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    x = np.sin(2 * np.pi * f[:, None] * t + phase) + 0.2 * rng.normal(size=(n, LENGTH))
    y = (f - 0.15) * 20.0
    wild = rng.random(n) < 0.05
    y = np.where(wild, y + 4.0 * rng.normal(size=n), y)
    return x.astype("float32"), y.astype("float32")


class Shuffled(keras.utils.PyDataset):
    """Mini-batches in an order that is drawn again after each epoch."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y
        self.order = np.random.permutation(len(x))

    def __len__(self):
        return -(-len(self.x) // MICRO)

    def __getitem__(self, k):
        idx = self.order[k * MICRO:(k + 1) * MICRO]
        return self.x[idx], self.y[idx]

    def on_epoch_end(self):
        self.order = np.random.permutation(len(self.x))


def build():
    return keras.Sequential([
        keras.Input((LENGTH, 1)),
        layers.Conv1D(16, 5, strides=2, padding="valid", activation="relu"),
        layers.Conv1D(32, 5, strides=2, padding="valid", activation="relu"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1),
    ])


def compile_model(model):
    model.compile(
        optimizer=keras.optimizers.Adagrad(LR, initial_accumulator_value=0.1, epsilon=1e-10,
                                           gradient_accumulation_steps=ACCUM),
        loss=keras.losses.Huber(delta=DELTA),
    )


def main():
    rng = np.random.default_rng(101)
    x, y = make_signals(512, rng)
    xt, yt = make_signals(256, rng)

    keras.utils.set_random_seed(6)
    model = build()
    compile_model(model)
    model.fit(Shuffled(x[..., None], y[:, None]), epochs=EPOCHS, shuffle=False, verbose=2)
    print("test huber %.4f" % model.evaluate(xt[..., None], yt[:, None], verbose=0))


if __name__ == "__main__":
    main()
