"""Sensor transformer in Keras, trained with fit."""
import keras
import numpy as np
from keras import layers, ops

STEPS, CHANNELS, CLASSES = 32, 6, 6
N_TRAIN, N_TEST, BATCH, EPOCHS = 1536, 480, 48, 5
DIM, HEADS, HIDDEN, BLOCKS = 24, 3, 48, 2
PEAK_LR, WARMUP, DECAY = 3e-3, 20, 0.05
TOTAL = EPOCHS * (N_TRAIN // BATCH)


def make_data():
    """Wearable sensor windows: six activities, two of which differ by the order of events."""
    rng = np.random.default_rng(99)
    n = N_TRAIN + N_TEST
    y = rng.integers(0, CLASSES, n)
    t = np.arange(STEPS)
    x = 0.35 * rng.standard_normal((n, STEPS, CHANNELS))
    freq = np.array([1.0, 2.0, 4.0, 2.0, 3.0, 3.0])
    for i, c in enumerate(y):
        ph = rng.uniform(0, 2 * np.pi)
        wave = np.sin(2 * np.pi * freq[c] * t / STEPS * rng.uniform(0.9, 1.1) + ph)
        x[i, :, 0] += wave
        x[i, :, 1] += np.roll(wave, 3) * (1 if c != 3 else -1)
        a, b = rng.integers(2, 13), rng.integers(17, 28)
        first, second = (2, 3) if c in (0, 2, 4) else (3, 2)
        x[i, a:a + 3, first] += 3.0
        x[i, b:b + 3, second] += 3.0
    x = x.astype("float32")
    y = y.astype("int64")
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


class Positions(layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=shape[1:], name="pos_table",
                                     initializer=keras.initializers.RandomNormal(stddev=0.02))

    def call(self, x):
        return x + self.table


class WarmupLinear(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        step = ops.cast(step, "float32")
        return PEAK_LR * ops.minimum((step + 1.0) / WARMUP, (TOTAL - step) / (TOTAL - WARMUP))


def block(x):
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(HEADS, DIM // HEADS, dropout=0.0, use_bias=False,
                                  kernel_initializer="glorot_uniform")(h, h)
    x = layers.Add()([x, layers.Dropout(0.1)(h)])
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.Dense(HIDDEN, activation=lambda z: keras.activations.gelu(z, approximate=False))(h)
    h = layers.Dense(DIM)(h)
    return layers.Add()([x, layers.Dropout(0.1)(h)])


def build():
    inp = keras.Input((STEPS, CHANNELS))
    h = Positions()(layers.Dense(DIM)(inp))
    for _ in range(BLOCKS):
        h = block(h)
    h = layers.LayerNormalization(epsilon=1e-5)(h)
    h = layers.GlobalAveragePooling1D()(h)
    return keras.Model(inp, layers.Dense(CLASSES)(h))


def compile_model(model):
    opt = keras.optimizers.AdamW(WarmupLinear(), weight_decay=DECAY, beta_1=0.9, beta_2=0.98,
                                 epsilon=1e-12)
    opt.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "pos_table"])
    model.compile(optimizer=opt, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def main():
    keras.utils.set_random_seed(44)
    x, y, tx, ty = make_data()
    model = compile_model(build())
    print("weights", model.count_params())
    for epoch in range(EPOCHS):
        log = model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=True, verbose=0)
        test = model.evaluate(tx, ty, batch_size=N_TEST, verbose=0)
        acc = (model.predict(tx, batch_size=N_TEST, verbose=0).argmax(1) == ty).mean()
        print(f"epoch {epoch + 1} loss {log.history['loss'][0]:.4f} test {test:.4f} acc {acc:.4f}")


if __name__ == "__main__":
    main()
