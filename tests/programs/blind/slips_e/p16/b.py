"""Sound events from log spectrograms with a small CNN: Keras."""
import numpy as np
import keras
from keras import layers


CLASSES = 5                     # rising, falling, steady, warbling, clicks
N, FRAME, HOP = 1056, 64, 32


def spectrogram(sig):
    starts = np.arange(0, N - FRAME + 1, HOP)
    frames = sig[:, starts[:, None] + np.arange(FRAME)] * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames, axis=-1))[:, :, 1:] ** 2
    return np.log(power + 1e-2)                       # (n, 32 frames, 32 bands)


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    t = np.arange(N) / N
    y = rng.randint(0, CLASSES, n)
    sig = np.zeros((n, N))
    for i, c in enumerate(y):
        f = rng.uniform(60, 350)
        sweep = rng.uniform(60, 150)
        if c == 0:
            phase = f * t + sweep * t ** 2 / 2
        elif c == 1:
            phase = (f + sweep) * t - sweep * t ** 2 / 2
        elif c == 2:
            phase = f * t
        else:
            phase = f * t + sweep / 25 * np.sin(2 * np.pi * 4 * t + rng.uniform(0, 6))
        sig[i] = np.sin(2 * np.pi * phase + rng.uniform(0, 6))
        if c == 4:
            sig[i] = 3 * rng.randn(N) * ((t * rng.randint(5, 10) + rng.rand()) % 1 < 0.12)
    s = spectrogram(sig + 0.5 * rng.randn(n, N))
    return ((s - 1.0) / 2.5).astype("float32"), y.astype("int64")


x_tr, y_tr = make_data(500, 70)
x_te, y_te = make_data(300, 71)
BATCH, EPOCHS = 32, 9

keras.utils.set_random_seed(44)

model = keras.Sequential([
    keras.Input((32, 32, 1)),
    layers.Conv2D(8, 3, padding="same", use_bias=False, kernel_initializer="he_uniform"),
    layers.GroupNormalization(groups=4, epsilon=1e-5),
    layers.ReLU(),
    layers.MaxPooling2D(2),
    layers.Conv2D(16, 3, padding="same", use_bias=False, kernel_initializer="he_uniform"),
    layers.GroupNormalization(groups=4, epsilon=1e-5),
    layers.ReLU(),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dropout(0.3),
    layers.Dense(CLASSES),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=False),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True),
)
onehot = keras.utils.to_categorical(y_tr, CLASSES)

# training
hist = model.fit(x_tr[..., None], onehot, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, l in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1}: loss {l:.4f}")

logits = model.predict(x_te[..., None], verbose=0)
print(f"test accuracy {(logits.argmax(1) == y_te).mean():.4f}")
