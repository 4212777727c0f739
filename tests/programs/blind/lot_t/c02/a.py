"""Keyword-like spectrogram classifier with temporal convolutions, Keras."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(14)


def spectrograms(n=560, frames=20, bands=12):
    rng = np.random.default_rng(8)
    label = rng.integers(0, 4, size=n)
    t = np.linspace(0, 1, frames)
    centre = np.stack([3 + 6 * t, 9 - 6 * t, 6 + 3 * np.sin(2 * np.pi * t), np.full(frames, 6.0)])
    shift = rng.uniform(-1.5, 1.5, size=(n, 1))
    c = centre[label] + shift
    s = np.exp(-0.5 * (np.arange(bands)[None, None, :] - c[:, :, None]) ** 2)
    s = s + 0.5 * rng.normal(size=s.shape)
    return s.astype("float32"), label.astype("int64")


x, y = spectrograms()
x_train, y_train, x_test, y_test = x[:400], y[:400], x[400:], y[400:]

model = keras.Sequential([
    keras.Input((20, 12)),
    layers.Conv1D(24, 3, padding="valid"),
    layers.LayerNormalization(epsilon=1e-5),
    layers.Activation("silu"),
    layers.MaxPooling1D(2),
    layers.Conv1D(32, 3, padding="valid", activation="silu"),
    layers.GlobalMaxPooling1D(),
    layers.Dropout(0.2),
    layers.Dense(4),
])
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=0.003, weight_decay=0.02,
                                     beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    jit_compile=False,
)
history = model.fit(x_train, y_train, batch_size=32, epochs=15, shuffle=True, verbose=0)
print("train loss", [round(v, 4) for v in history.history["loss"]])
pred = model.predict(x_test, verbose=0).argmax(axis=-1)
print("test accuracy", float(np.mean(pred == y_test)))
