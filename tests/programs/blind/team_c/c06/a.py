"""Activity recognition from wearable sensors: transformer encoder, functional Keras model and fit."""
import keras
import numpy as np
from keras import layers, ops

N_TRAIN, N_TEST, T, CH, K = 960, 300, 24, 6, 4
BATCH, EPOCHS, LR, WARM = 48, 9, 3e-3, 40
DIM, HEADS, FFN, L2 = 24, 3, 48, 1e-4


def make_data():
    rng = np.random.RandomState(55)
    n = N_TRAIN + N_TEST
    y = rng.randint(0, K, n)
    t = np.arange(T)
    mix = rng.randn(K, 3, CH)
    freq = np.array([0.3, 0.45, 0.7, 1.0])
    x = np.empty((n, T, CH))
    for i in range(n):
        k = y[i]
        ph = rng.uniform(0, 6.28)
        w = freq[k] * rng.uniform(0.8, 1.2)
        base = np.stack([np.sin(w * t + ph), np.cos(2 * w * t + ph), np.sign(np.sin(w * t + ph))], axis=1)
        x[i] = base @ (0.5 * mix[k] + 0.5 * mix.mean(0)) * 0.6 + 0.9 * rng.randn(T, CH)
    x = x.astype("float32")
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def positions():
    pos, i = np.arange(T)[:, None], np.arange(DIM // 2)[None, :]
    ang = pos / 100.0 ** (2 * i / DIM)
    return np.concatenate([np.sin(ang), np.cos(ang)], axis=1).astype("float32")


@keras.saving.register_keras_serializable()
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        s = ops.cast(step, "float32") + 1.0
        return LR * ops.minimum(s / WARM, ops.sqrt(WARM / s))

    def get_config(self):
        return {}


def build_model():
    glorot = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
    reg = keras.regularizers.L2(L2)
    inp = keras.Input((T, CH))
    x = layers.Dense(DIM, **glorot)(inp) + positions()[None]
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.MultiHeadAttention(num_heads=HEADS, key_dim=DIM // HEADS, use_bias=False,
                                  kernel_initializer="glorot_uniform")(h, h)
    x = x + layers.Dropout(0.1)(h)
    h = layers.LayerNormalization(epsilon=1e-5)(x)
    h = layers.Dense(FFN, activation="gelu", kernel_regularizer=reg, **glorot)(h)
    h = layers.Dense(DIM, kernel_regularizer=reg, **glorot)(h)
    x = x + layers.Dropout(0.1)(h)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inp, layers.Dense(K, **glorot)(x))


def compiled_model():
    model = build_model()
    model.compile(optimizer=keras.optimizers.Adam(Warmup(), beta_1=0.9, beta_2=0.98, epsilon=1e-7),
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def main():
    keras.utils.set_random_seed(1)
    x, y, x_te, y_te = make_data()
    model = compiled_model()
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
    z = model.predict(x_te, batch_size=300, verbose=0)
    print(f"test accuracy {(z.argmax(1) == y_te).mean():.4f}")


if __name__ == "__main__":
    main()
