"""Six-hour-ahead electricity demand with an LSTM (Keras)."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

WINDOW, HORIZON = 24, 6


def demand_series(n=2200, seed=8):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    daily = 1.0 * np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(4 * np.pi * t / 24 + 0.7)
    weekly = 0.5 * np.cos(2 * np.pi * t / 168)
    ar = np.zeros(n)
    for i in range(1, n):
        ar[i] = 0.9 * ar[i - 1] + rng.normal(0, 0.12)
    return (daily * (1 + 0.3 * weekly) + weekly + ar).astype(np.float32)


def windows(series):
    n = len(series) - WINDOW - HORIZON + 1
    hour = (np.arange(len(series)) % 24).astype(np.float32)
    feats = np.stack(
        [series, np.sin(2 * np.pi * hour / 24), np.cos(2 * np.pi * hour / 24)], axis=1
    ).astype(np.float32)
    x = np.stack([feats[i : i + WINDOW] for i in range(n)])
    y = np.stack([series[i + WINDOW : i + WINDOW + HORIZON] for i in range(n)])
    return x, y


def build_model():
    model = keras.Sequential(
        [
            keras.Input((WINDOW, 3)),
            layers.LSTM(
                32,
                kernel_initializer="glorot_uniform",
                recurrent_initializer="orthogonal",
                bias_initializer="zeros",
                unit_forget_bias=True,
            ),
            layers.Dense(HORIZON),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12, global_clipnorm=0.5
        ),
        loss=keras.losses.Huber(delta=1.0),
    )
    return model


if __name__ == "__main__":
    keras.utils.set_random_seed(314)
    x, y = windows(demand_series())
    x_train, y_train = x[:1700], y[:1700]
    x_val, y_val = x[1730:], y[1730:]

    model = build_model()
    model.summary()
    train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train)).batch(64)
    val_ds = tf.data.Dataset.from_tensor_slices((x_val, y_val)).batch(64)
    model.fit(train_ds, validation_data=val_ds, epochs=10, verbose=2)
    mae = np.abs(model.predict(x_val, verbose=0) - y_val).mean()
    print(f"validation MAE {mae:.4f}")
