"""Keyword spotting on small spectrograms, Keras."""
import numpy as np
import keras
from keras import layers


def spectrograms(n=1000, bands=24, frames=32, classes=5):
    """Log-power pictures of five kinds of 'words': rising, falling, level, two-tone, burst."""
    rng = np.random.default_rng(5150)
    label = rng.integers(0, classes, n)
    f = np.arange(bands)[:, None]
    t = np.arange(frames)[None, :]
    out = np.empty((n, bands, frames), dtype="float32")
    for i, c in enumerate(label):
        start = rng.uniform(6, 16)
        slope = {0: 0.3, 1: -0.3}.get(int(c), 0.0) * rng.uniform(0.6, 1.2)
        img = np.exp(-0.5 * ((f - start - slope * (t - frames / 2)) / 1.3) ** 2)
        if c == 3:
            img = img + np.exp(-0.5 * ((f - start - 5) / 1.3) ** 2)
        if c == 4:
            img = img * np.exp(-0.5 * ((t - rng.uniform(8, 24)) / 2.5) ** 2)
        out[i] = img * rng.uniform(0.7, 1.3) + 0.25 * rng.normal(size=img.shape)
    return (out - out.mean()) / out.std(), label.astype("int64")


def make_net():
    return keras.Sequential([
        keras.Input((24, 32, 1)),
        layers.Conv2D(8, 5, padding="valid", kernel_initializer="he_uniform"),
        layers.GroupNormalization(groups=2, epsilon=1e-5),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, padding="same", kernel_initializer="he_uniform"),
        layers.GroupNormalization(groups=4, epsilon=1e-5),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.25),
        layers.Dense(5, kernel_initializer="he_uniform"),
    ])


# --- training
keras.mixed_precision.set_global_policy("mixed_bfloat16")
keras.utils.set_random_seed(2)
x, y = spectrograms()
x = x[..., None]
targets = keras.utils.to_categorical(y, 5)
n, epochs, batch = 800, 12, 32
net = make_net()
lr = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=epochs * n // batch, alpha=0.0)
net.compile(
    optimizer=keras.optimizers.Adam(learning_rate=lr, beta_1=0.9, beta_2=0.99, epsilon=1e-12),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    metrics=["accuracy"],
)
net.fit(x[:n], targets[:n], batch_size=batch, epochs=epochs, shuffle=True, verbose=2)
loss, acc = net.evaluate(x[n:], targets[n:], batch_size=batch, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
