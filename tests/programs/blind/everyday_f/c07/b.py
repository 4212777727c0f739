"""Activity recognition with a small transformer encoder (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers, ops

STEPS = 16
CHANNELS = 6
CLASSES = 5


def make_recordings(n=1500, seed=31):
    """Short windows of a six-channel motion sensor; the class sets tempo and coupling."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(CLASSES, CHANNELS, 3))
    labels = rng.integers(0, CLASSES, n)
    t = np.arange(STEPS)
    phase = rng.uniform(0, 2 * np.pi, (n, 3, 1))
    tempo = (0.35 + 0.12 * labels)[:, None, None] * rng.uniform(0.9, 1.1, (n, 3, 1))
    sources = np.sin(tempo * np.array([1.0, 1.7, 2.3])[None, :, None] * t + phase)
    signal = np.einsum("ncs,nst->ntc", 0.6 * mixing[labels] + 0.8 * mixing[0], sources)
    signal += rng.normal(0, 1.0, signal.shape)
    return (signal / 2.0).astype(np.float32), labels.astype(np.int64)


def position_encoding(dim):
    pos = np.arange(STEPS)[:, None]
    freq = np.exp(-np.log(100.0) * np.arange(0, dim, 2) / dim)[None, :]
    table = np.zeros((STEPS, dim), dtype=np.float32)
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


class WarmupThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, total, warmup):
        self.peak, self.total, self.warmup = peak, total, warmup

    def __call__(self, step):
        step = ops.cast(step, "float32")
        up = (step + 1.0) / self.warmup
        down = (self.total - step) / (self.total - self.warmup)
        return self.peak * ops.where(step < self.warmup, up, down)

    def get_config(self):
        return {"peak": self.peak, "total": self.total, "warmup": self.warmup}


class Recordings(keras.utils.PyDataset):
    """Batches in a new random order every epoch."""

    def __init__(self, x, y, batch_size, seed):
        super().__init__()
        self.x, self.y, self.batch_size = x, y, batch_size
        self.rng = np.random.default_rng(seed)
        self.order = self.rng.permutation(len(x))

    def __len__(self):
        return -(-len(self.x) // self.batch_size)

    def __getitem__(self, i):
        idx = self.order[i * self.batch_size:(i + 1) * self.batch_size]
        return self.x[idx], self.y[idx]

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.x))


def encoder_block(x, dim, heads, hidden, dropout):
    h = layers.LayerNormalization(epsilon=1e-6)(x)
    h = layers.MultiHeadAttention(heads, dim // heads, dropout=dropout, use_bias=False)(h, h)
    x = layers.Add()([x, layers.Dropout(dropout)(h)])
    h = layers.LayerNormalization(epsilon=1e-6)(x)
    h = layers.Dense(hidden, activation="gelu")(h)
    h = layers.Dense(dim)(h)
    return layers.Add()([x, layers.Dropout(dropout)(h)])


def build_model(dim=32, heads=4, hidden=64, depth=2, dropout=0.1):
    inputs = keras.Input((STEPS, CHANNELS))
    x = layers.Dense(dim)(inputs) + position_encoding(dim)
    for _ in range(depth):
        x = encoder_block(x, dim, heads, hidden, dropout)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def make_optimizer(total_steps, lr=2e-3, weight_decay=0.05):
    optimizer = keras.optimizers.AdamW(
        WarmupThenLinear(lr, total_steps, warmup=40),
        weight_decay=weight_decay, beta_1=0.9, beta_2=0.98, epsilon=1e-12,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def main():
    keras.utils.set_random_seed(77)
    x, y = make_recordings()
    train = Recordings(x[:1200], y[:1200], batch_size=48, seed=77)
    x_test, y_test = x[1200:], y[1200:]
    epochs = 14

    model = build_model()
    model.compile(
        optimizer=make_optimizer(epochs * len(train)),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(train, epochs=epochs, shuffle=False, verbose=2)
    loss, accuracy = model.evaluate(x_test, y_test, batch_size=len(x_test), verbose=0)
    print(f"test loss {loss:.4f} accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
