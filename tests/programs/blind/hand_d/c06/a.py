"""Waveform classification, 1-D CNN, label smoothing and warm-up + cosine schedule (Keras fit)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(8)

L, K = 40, 4


def waves(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(L)
    y = rng.integers(K, size=n)
    period = rng.uniform(8, 14, size=(n, 1))
    u = (t / period + rng.random((n, 1))) % 1.0
    shapes = np.stack([np.sin(2 * np.pi * u), np.sign(u - 0.5), 2 * u - 1, 4 * np.abs(u - 0.5) - 1])
    x = shapes[y, np.arange(n)] + 0.4 * rng.normal(size=(n, L))
    return x.astype("float32")[:, :, None], y


x_train, y_train = waves(900, 21)
x_test, y_test = waves(400, 22)
y_train, y_test = keras.utils.to_categorical(y_train, K), keras.utils.to_categorical(y_test, K)

BATCH, EPOCHS = 60, 12
TOTAL = EPOCHS * (len(x_train) // BATCH)
WARMUP = 30

model = keras.Sequential([
    keras.Input((L, 1)),
    layers.Conv1D(12, 5, padding="same", use_bias=False),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
    layers.ReLU(),
    layers.MaxPooling1D(2),
    layers.Conv1D(24, 5, padding="same", activation="relu"),
    layers.GlobalAveragePooling1D(),
    layers.Dense(K),
])
schedule = keras.optimizers.schedules.CosineDecay(
    initial_learning_rate=0.0, warmup_target=8e-3, warmup_steps=WARMUP,
    decay_steps=TOTAL - WARMUP, alpha=0.05)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=schedule),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    metrics=["accuracy"],
)

# ---- training
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)

for name, (x, y) in {"train": (x_train, y_train), "test": (x_test, y_test)}.items():
    loss, acc = model.evaluate(x, y, batch_size=BATCH, verbose=0)
    print(f"{name}: loss {loss:.4f} accuracy {acc:.4f}")
