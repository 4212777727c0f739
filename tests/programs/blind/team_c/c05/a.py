"""Keyword spotting on synthetic spectrograms: small CNN with batch normalisation, Keras fit."""
import keras
import numpy as np
from keras import layers

N_TRAIN, N_TEST, MELS, FRAMES, K = 1200, 300, 24, 20, 5
BATCH, EPOCHS, LR = 40, 5, 0.1
STEPS = EPOCHS * N_TRAIN // BATCH


def make_data():
    rng = np.random.RandomState(8)
    n = N_TRAIN + N_TEST
    y = rng.randint(0, K, n)
    t = np.linspace(0, 1, FRAMES)
    f = np.arange(MELS)[:, None]
    x = np.empty((n, MELS, FRAMES))
    for i in range(n):
        f0, w = rng.uniform(6, 16), rng.uniform(3, 7)
        shift = rng.uniform(0, 0.25)
        u = np.clip(t - shift, 0, 1)
        track = [f0 + w * (u - 0.4), f0 - w * (u - 0.4), f0 + w * np.sin(6.3 * u),
                 f0 + 0 * u, f0 + 1.2 * w * np.abs(u - 0.4)][y[i]]
        tone = np.exp(-0.5 * ((f - track[None, :]) / 1.0) ** 2)
        tone = tone + 0.5 * np.exp(-0.5 * ((f - track[None, :] - 6) / 1.0) ** 2)
        x[i] = rng.uniform(0.7, 1.3) * tone + 0.3 * rng.randn(MELS, FRAMES)
    x = ((x - x[:N_TRAIN].mean()) / x[:N_TRAIN].std()).astype("float32")
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def build_model():
    inp = keras.Input((MELS, FRAMES, 1))
    h = inp
    for channels in (8, 16):
        h = layers.Conv2D(channels, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(h)
        h = layers.BatchNormalization(momentum=0.9, epsilon=1e-4)(h)
        h = layers.ReLU()(h)
        h = layers.MaxPooling2D(2)(h)
    h = layers.GlobalAveragePooling2D()(h)
    out = layers.Dense(K, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    return keras.Model(inp, out)


def compiled_model():
    model = build_model()
    rate = keras.optimizers.schedules.CosineDecay(LR, decay_steps=STEPS, alpha=0.0)
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=rate, momentum=0.9, nesterov=False),
                  loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1))
    return model


def main():
    keras.utils.set_random_seed(21)
    x, y, x_te, y_te = make_data()
    model = compiled_model()
    model.fit(x[..., None], np.eye(K, dtype="float32")[y], batch_size=BATCH, epochs=EPOCHS,
              shuffle=True, verbose=2)
    z = model.predict(x_te[..., None], batch_size=300, verbose=0)
    print(f"test accuracy {(z.argmax(1) == y_te).mean():.4f}")


if __name__ == "__main__":
    main()
