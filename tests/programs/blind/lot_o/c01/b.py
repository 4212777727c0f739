"""Classify short two-channel recordings (Keras)."""
import math

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(64)
N, T, K = 900, 48, 4
cls = rng.integers(0, K, size=N)
t = np.linspace(0, 1, T)
base = np.array([2.0, 3.5, 5.0, 6.5])[cls][:, None]
shift = rng.uniform(0, 2 * np.pi, size=(N, 1))
x = np.stack([np.sin(2 * np.pi * base * t + shift), np.cos(2 * np.pi * base * t + 0.5 * shift)], axis=-1)
x = (x + 0.6 * rng.normal(size=x.shape)).astype("float32")
onehot = np.eye(K, dtype="float32")[cls]
x_train, y_train, x_test, y_test = x[:720], onehot[:720], x[720:], onehot[720:]

EPOCHS, BATCH, LR = 14, 32, 4e-3
STEPS = EPOCHS * math.ceil(len(x_train) / BATCH)

keras.utils.set_random_seed(30)


def gelu(z):
    return keras.activations.gelu(z, approximate=False)


model = keras.Sequential([
    keras.Input((T, 2)),
    layers.Conv1D(16, 5, padding="same", activation=gelu),
    layers.Conv1D(32, 5, padding="same", activation=gelu),
    layers.GlobalMaxPooling1D(),
    layers.LayerNormalization(epsilon=1e-5),
    layers.Dropout(0.2),
    layers.Dense(24, activation=gelu),
    layers.Dense(K),
])
schedule = keras.optimizers.schedules.CosineDecay(LR, decay_steps=STEPS, alpha=0.0)
model.compile(
    optimizer=keras.optimizers.AdamW(
        learning_rate=schedule, beta_1=0.9, beta_2=0.999, epsilon=1e-12, weight_decay=0.02),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
    metrics=["categorical_accuracy"],
)
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1} loss {value:.4f}")
test_loss, test_acc = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {test_loss:.4f}")
print(f"test accuracy {test_acc:.4f}")
