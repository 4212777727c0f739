"""One-step-ahead load forecast with an LSTM (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

WINDOW = 24
N_TRAIN = 1000
BATCH = 50
EPOCHS = 18


def make_windows(seed=5):
    """Hourly load: daily and weekly rhythm, slow drift, correlated noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(1300)
    noise = np.zeros(len(t))
    for i in range(1, len(t)):
        noise[i] = 0.7 * noise[i - 1] + rng.normal(0, 0.08)
    load = (
        np.sin(2 * np.pi * t / 24)
        + 0.4 * np.sin(2 * np.pi * t / 12 + 1.0)
        + 0.5 * np.sin(2 * np.pi * t / 168)
        + 0.0003 * t
        + noise
    )
    load = (load - load[:N_TRAIN].mean()) / load[:N_TRAIN].std()
    hour = 2 * np.pi * (t % 24) / 24
    features = np.stack([load, np.sin(hour), np.cos(hour)], axis=1).astype(np.float32)
    x = np.stack([features[i:i + WINDOW] for i in range(len(t) - WINDOW)])
    y = load[WINDOW:].astype(np.float32)[:, None]
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def build_model():
    return keras.Sequential(
        [
            keras.Input((WINDOW, 3)),
            layers.LSTM(
                24,
                kernel_initializer="glorot_uniform",
                recurrent_initializer="orthogonal",
                unit_forget_bias=True,
            ),
            layers.Dense(16, activation="tanh"),
            layers.Dense(1),
        ]
    )


def main():
    keras.utils.set_random_seed(2024)
    x_train, y_train, x_test, y_test = make_windows()
    train_ds = (
        tf.data.Dataset.from_tensor_slices((x_train, y_train))
        .shuffle(len(x_train), reshuffle_each_iteration=True)
        .batch(BATCH)
    )
    model = build_model()
    model.compile(
        # epsilon only guards against 0 / 0
        optimizer=keras.optimizers.RMSprop(learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-24),
        loss=keras.losses.Huber(delta=0.5),
        metrics=[keras.metrics.MeanAbsoluteError(name="mae")],
    )
    history = model.fit(train_ds, epochs=EPOCHS, verbose=0)
    print("huber by epoch:", " ".join(f"{v:.4f}" for v in history.history["loss"]))
    loss, mae = model.evaluate(x_test, y_test, batch_size=len(x_test), verbose=0)
    print(f"test huber {loss:.4f}  mae {mae:.4f}")


if __name__ == "__main__":
    main()
