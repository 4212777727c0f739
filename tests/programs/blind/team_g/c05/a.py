"""Short-word recogniser on spectrograms: a small separable CNN, Keras fit."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

CLASSES = 6


def make_spectrograms(n, seed):
    """Log spectrograms (32 frames x 32 bands) of short voiced sounds with six pitch and formant shapes."""
    rng = np.random.RandomState(seed)
    rate, length = 4000.0, 2112
    t = np.arange(length) / rate
    u = t / t[-1]
    label = rng.randint(0, CLASSES, size=n)
    base = rng.uniform(110, 220, size=n)
    bend = np.array([0.0, 0.6, -0.4, 0.0, 0.6, -0.4])[label] + rng.normal(0, 0.06, n)
    f1 = np.array([500.0, 500, 500, 900, 900, 900])[label] * rng.uniform(0.85, 1.15, n)
    pitch = base[:, None] * (1 + bend[:, None] * u[None, :])
    phase = 2 * np.pi * np.cumsum(pitch, axis=1) / rate
    wave = np.zeros((n, length))
    for k in range(1, 9):
        gain = np.exp(-((k * pitch - f1[:, None]) / 260.0) ** 2) + 0.1 / k
        wave += gain * np.sin(k * phase + rng.uniform(0, 6.28, (n, 1)))
    wave += rng.normal(0, 0.5, wave.shape)
    window = np.hanning(128)
    frames = np.stack([wave[:, s:s + 128] * window for s in range(0, 32 * 62, 62)], axis=1)
    power = np.abs(np.fft.rfft(frames, axis=2))[:, :, 1:65] ** 2
    bands = np.log(power.reshape(n, 32, 32, 2).sum(-1) + 1e-3)
    return ((bands - 2.5) / 2.0).astype("float32"), label.astype("int64")


tf.config.threading.set_intra_op_parallelism_threads(1)
keras.utils.set_random_seed(1)
L2 = 5e-4
reg = lambda: keras.regularizers.L2(L2)


def separable(x, channels):
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, depthwise_initializer="he_normal",
                               depthwise_regularizer=reg())(x)
    x = layers.Conv2D(channels, 1, use_bias=False, kernel_initializer="he_normal", kernel_regularizer=reg())(x)
    x = layers.GroupNormalization(groups=4, epsilon=1e-5)(x)
    return layers.ReLU()(x)


inp = keras.Input((32, 32, 1))
h = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, kernel_initializer="he_normal",
                  kernel_regularizer=reg())(inp)
h = layers.GroupNormalization(groups=4, epsilon=1e-5)(h)
h = layers.ReLU()(h)
h = separable(h, 16)
h = layers.MaxPooling2D(2)(h)
h = separable(h, 32)
h = layers.AveragePooling2D((8, 2))(h)             # over all of the time, pairs of bands
h = layers.Flatten()(h)
h = layers.Dropout(0.3)(h)
out = layers.Dense(CLASSES, kernel_initializer="he_normal", kernel_regularizer=reg())(h)
model = keras.Model(inp, out)

x, y = make_spectrograms(1200, 1)
xt, yt = make_spectrograms(500, 2)
onehot = np.eye(CLASSES, dtype="float32")
model.compile(
    optimizer=keras.optimizers.SGD(0.02, momentum=0.9, nesterov=False),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
)
model.fit(x[..., None], onehot[y], batch_size=40, epochs=12, shuffle=True, verbose=2)

z = model.predict(xt[..., None], verbose=0)
smooth = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
print("test loss %.4f  accuracy %.4f" % (float(smooth(onehot[yt], z)), (z.argmax(1) == yt).mean()))
