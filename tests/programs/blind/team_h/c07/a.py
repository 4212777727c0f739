"""Keyword spotting on small spectrograms: CNN trained with Keras fit."""
import keras
import numpy as np
from keras import layers, regularizers

MELS, FRAMES, WORDS = 32, 36, 5
N_TRAIN, N_TEST, BATCH, EPOCHS = 1600, 400, 40, 5


def make_data():
    """Short 'words' made of gliding tones, as log energies of FFT bands."""
    rng = np.random.RandomState(808)
    n, hop, win = N_TRAIN + N_TEST, 64, 128
    length = hop * (FRAMES - 1) + win
    t = np.linspace(0, 1, length)
    word = rng.randint(0, WORDS, size=n)
    frames = np.arange(FRAMES)[:, None] * hop + np.arange(win)[None, :]
    window = np.hanning(win)
    spec = np.zeros((n, MELS, FRAMES, 1), dtype="float32")
    for i, w in enumerate(word):
        f0 = rng.uniform(150, 500)
        glide = [0.0, 1.0, -0.5, 0.6, 0.0][w]
        f = f0 * (1 + glide * t)
        if w == 3:
            f = f0 * (1 + 0.6 * np.minimum(t, 1 - t) * 2)
        if w == 4:
            f = f0 * (1 + 0.25 * np.sin(2 * np.pi * 3 * t))
        phase = 2 * np.pi * np.cumsum(f) / length
        voice = np.sin(phase) + 0.5 * np.sin(2 * phase)
        on = rng.uniform(0, 0.25)
        voice *= (t > on) & (t < on + 0.7)
        sig = voice + 0.5 * rng.randn(length)
        power = np.abs(np.fft.rfft(sig[frames] * window, axis=1)[:, 1:]) ** 2
        power = power[:, :64].reshape(FRAMES, MELS, 2).mean(-1)
        spec[i, :, :, 0] = np.log(power + 1e-2).T
    mean, std = spec[:N_TRAIN].mean(), spec[:N_TRAIN].std()
    spec = (spec - mean) / std
    y = np.eye(WORDS, dtype="float32")[word]
    return spec[:N_TRAIN], y[:N_TRAIN], spec[N_TRAIN:], y[N_TRAIN:]


def build():
    l2 = 5e-4
    return keras.Sequential([
        keras.Input((MELS, FRAMES, 1)),
        layers.Conv2D(10, 5, strides=2, padding="same", use_bias=False,
                      kernel_initializer="he_normal", kernel_regularizer=regularizers.L2(l2)),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.Conv2D(20, 3, padding="same", use_bias=False,
                      kernel_initializer="he_normal", kernel_regularizer=regularizers.L2(l2)),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(WORDS, kernel_regularizer=regularizers.L2(l2)),
    ])


def main():
    keras.utils.set_random_seed(70)
    x, y, tx, ty = make_data()
    model = build()
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([120, 160], [0.005, 0.002, 0.0005])
    model.compile(
        optimizer=keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=[keras.metrics.CategoricalAccuracy(name="acc")])
    print("parameters", model.count_params())
    for epoch in range(EPOCHS):
        log = model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=True, verbose=0).history
        loss, acc = model.evaluate(tx, ty, batch_size=BATCH, verbose=0)
        print(f"epoch {epoch + 1} loss {log['loss'][0]:.4f} acc {log['acc'][0]:.4f} "
              f"| test loss {loss:.4f} acc {acc:.4f}")


if __name__ == "__main__":
    main()
