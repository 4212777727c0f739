"""Activity recognition from motion sensors: a small pre-norm transformer (Keras)."""
import math

import numpy as np
import keras
from keras import layers, ops

DIM, HEADS, FF, BLOCKS, CLASSES = 24, 3, 48, 2, 5
EPOCHS, BATCH, PEAK, WARMUP = 8, 50, 4e-3, 40


def make_data():
    """Six-axis motion sensor, windows of 32 samples, 5 activities."""
    rng = np.random.default_rng(59)
    n, T, K = 2300, 32, 5
    label = rng.integers(0, K, n)
    t = np.arange(T) / T
    freq = np.array([1.5, 2.5, 3.5, 2.5, 0.0])[label]
    amp = np.array([1.0, 1.0, 0.8, 0.5, 0.0])[label]
    lag = rng.normal(0, 1, (K, 6))
    phase = rng.uniform(0, 2 * np.pi, n)
    arg = 2 * np.pi * freq[:, None, None] * t[None, :, None] + phase[:, None, None] + lag[label][:, None, :]
    x = amp[:, None, None] * np.sin(arg) + 0.9 * rng.normal(size=(n, T, 6))
    x += 0.3 * rng.normal(size=(n, 1, 6))
    x, label = x.astype("float32"), label.astype("int64")
    return (x[:1850], label[:1850]), (x[1850:], label[1850:])


def position_table(length, dim):
    pos = np.arange(length)[:, None]
    rate = np.exp(-np.log(10000.0) * np.arange(0, dim, 2) / dim)[None]
    table = np.zeros((length, dim), dtype="float32")
    table[:, 0::2] = np.sin(pos * rate)
    table[:, 1::2] = np.cos(pos * rate)
    return table


class AddPosition(layers.Layer):
    def call(self, x):
        return x + ops.convert_to_tensor(position_table(32, DIM))


class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, warmup, total):
        self.peak, self.warmup, self.total = peak, warmup, total

    def __call__(self, step):
        step = ops.cast(step, "float32")
        up = (step + 1.0) / self.warmup
        down = 0.5 * (1.0 + ops.cos(math.pi * (step - self.warmup) / (self.total - self.warmup)))
        return self.peak * ops.where(step < self.warmup, up, down)

    def get_config(self):
        return {"peak": self.peak, "warmup": self.warmup, "total": self.total}


def build_model():
    inp = keras.Input((32, 6))
    x = layers.Dense(DIM)(inp)
    x = AddPosition()(x)
    for _ in range(BLOCKS):
        h = layers.LayerNormalization(epsilon=1e-5)(x)
        h = layers.MultiHeadAttention(HEADS, DIM // HEADS, dropout=0.1, use_bias=False)(h, h)
        x = layers.Add()([x, layers.Dropout(0.1)(h)])
        h = layers.LayerNormalization(epsilon=1e-5)(x)
        h = layers.Dense(FF, activation=lambda z: keras.activations.gelu(z, approximate=False))(h)
        h = layers.Dense(DIM)(h)
        x = layers.Add()([x, layers.Dropout(0.1)(h)])
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inp, layers.Dense(CLASSES)(x))


def main():
    keras.utils.set_random_seed(8)
    (x, y), (xv, yv) = make_data()
    y, yv = keras.utils.to_categorical(y, CLASSES), keras.utils.to_categorical(yv, CLASSES)
    model = build_model()
    total = EPOCHS * math.ceil(len(x) / BATCH)
    opt = keras.optimizers.AdamW(WarmupCosine(PEAK, WARMUP, total), weight_decay=0.05, beta_1=0.9, beta_2=0.98,
                                 epsilon=1e-12, global_clipnorm=1.0)
    opt.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(opt, loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
                  metrics=[keras.metrics.CategoricalAccuracy(name="acc")])
    h = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, validation_data=(xv, yv), verbose=0).history
    for e in range(EPOCHS):
        print(f"epoch {e + 1:2d}: loss {h['loss'][e]:.4f}  val {h['val_loss'][e]:.4f}  acc {h['val_acc'][e]:.3f}")


if __name__ == "__main__":
    main()
