"""Keyword spotting on spectrograms: small CNN, trained with fit()."""
import numpy as np
import keras
from keras import layers, regularizers


def make_data():
    """Log-mel-like pictures, 24 bands x 32 frames, of six spoken 'commands' (two gliding formants each)."""
    rng = np.random.default_rng(67)
    n, bands, frames, words = 1700, 24, 32, 6
    y = rng.integers(0, words, n)
    start = np.array([[4, 14], [10, 18], [4, 18], [12, 16], [8, 20], [6, 12]])[y]
    stop = np.array([[10, 14], [5, 18], [4, 12], [6, 21], [8, 14], [11, 19]])[y]
    begin = rng.integers(0, 10, n)
    dur = rng.integers(16, 23, n)
    pitch = rng.normal(0, 1.0, n)
    band = np.arange(bands)[None, :, None]
    frac = np.clip((np.arange(frames)[None] - begin[:, None]) / dur[:, None], 0, 1)
    voiced = (np.arange(frames)[None] >= begin[:, None]) & (np.arange(frames)[None] < (begin + dur)[:, None])
    x = np.zeros((n, bands, frames))
    for f in range(2):
        centre = start[:, f, None] + (stop - start)[:, f, None] * frac + pitch[:, None]
        x += np.exp(-0.5 * ((band - centre[:, None]) / 1.3) ** 2) * voiced[:, None]
    x = 2.0 * x + 0.7 * rng.normal(size=x.shape)
    x = x[..., None].astype("float32")
    return (x[:1300], y[:1300].astype("int32")), (x[1300:], y[1300:].astype("int32"))


def build_model():
    l2 = regularizers.L2(2e-4)
    model = keras.Sequential([keras.Input((24, 32, 1))])
    for filters in (8, 16):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal",
                                kernel_regularizer=l2))
        model.add(layers.BatchNormalization(momentum=0.9, epsilon=1e-3))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D(2))
    model.add(layers.SeparableConv2D(24, 3, padding="same"))
    model.add(layers.Activation("relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(6, kernel_regularizer=l2))
    return model


def main():
    keras.utils.set_random_seed(21)
    (x, y), (xv, yv) = make_data()
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.Nadam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )
    model.fit(x, y, batch_size=32, epochs=10, shuffle=True, verbose=2)
    loss, acc = model.evaluate(xv, yv, batch_size=100, verbose=0)
    print(f"test loss (with penalty) {loss:.4f}  accuracy {acc:.3f}")


if __name__ == "__main__":
    main()
