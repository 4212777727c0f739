"""Digits, small convolutional net in Keras: AdamW, warm-up + cosine, label smoothing, dropout."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

BATCH, EPOCHS, CLASSES = 50, 15, 10
WARMUP, TOTAL, PEAK, DECAY, SMOOTH, DROP = 45, 420, 4e-3, 0.02, 0.1, 0.25


def load():
    d = load_digits()
    order = np.random.RandomState(100).permutation(len(d.target))
    x = (d.images[order] / 16.0).astype("float32")
    y = d.target[order].astype("int64")
    return x[:1400], y[:1400], x[1400:], y[1400:]


def build():
    return keras.Sequential([
        layers.Input((8, 8, 1)),
        layers.Conv2D(12, 3, padding="same", activation="relu",
                      kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", activation="relu",
                      kernel_initializer="glorot_uniform", bias_initializer="zeros"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(DROP),
        layers.Dense(CLASSES, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def main():
    keras.utils.set_random_seed(1)
    x, y, xt, yt = load()
    x, xt = x[..., None], xt[..., None]
    onehot = np.eye(CLASSES, dtype="float32")
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0, decay_steps=TOTAL - WARMUP, alpha=0.0,
        warmup_target=PEAK, warmup_steps=WARMUP)
    optimizer = keras.optimizers.AdamW(
        learning_rate=schedule, weight_decay=DECAY, beta_1=0.9, beta_2=0.99, epsilon=1e-7)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer=optimizer,
                  loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTH))
    print("weights", model.count_params())
    history = model.fit(x, onehot[y], batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
    for e, v in enumerate(history.history["loss"]):
        print(f"epoch {e + 1}: loss {v:.4f}")
    test_loss = model.evaluate(xt, onehot[yt], batch_size=len(xt), verbose=0)
    acc = (model.predict(xt, verbose=0).argmax(axis=1) == yt).mean()
    print(f"test loss {test_loss:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
