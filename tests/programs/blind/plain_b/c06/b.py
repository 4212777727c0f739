"""Remaining-life style regression from a short sensor trace plus static features (own loop)."""
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import tensorflow as tf
import keras
from keras import layers

SEED = 3


def make_data(n=1150, length=32, seed=55):
    rng = np.random.default_rng(seed)
    freq = rng.uniform(0.1, 0.6, n)
    amp = rng.uniform(0.3, 1.5, n)
    static = rng.standard_normal((n, 5))
    time = np.arange(length)
    trace = amp[:, None] * np.sin(freq[:, None] * time[None, :]) + 0.1 * rng.standard_normal((n, length))
    slope = np.linspace(-1, 1, length)
    trace = np.stack([trace, np.broadcast_to(slope, trace.shape) * static[:, :1]], axis=-1)
    y = 2.0 * amp - 3.0 * freq + 0.5 * static[:, 1] * static[:, 0] + 0.1 * rng.standard_normal(n)
    y = (y - y.mean()) / y.std()
    return trace.astype("float32"), static.astype("float32"), y.astype("float32")[:, None]


def build_model():
    trace_in = keras.Input((32, 2), name="trace")
    static_in = keras.Input((5,), name="static")
    h = layers.Conv1D(12, 5, padding="causal", activation="swish")(trace_in)
    h = layers.AveragePooling1D(2)(h)
    h = layers.Conv1D(16, 3, dilation_rate=2, padding="same", activation="swish")(h)
    h = layers.GlobalMaxPooling1D()(h)
    s = layers.Dense(8, activation="swish", activity_regularizer=keras.regularizers.L2(1e-3))(static_in)
    h = layers.Concatenate()([h, s])
    h = layers.Dense(24, activation="swish")(h)
    out = layers.Dense(1)(h)
    return keras.Model([trace_in, static_in], out)


def main():
    trace, static, y = make_data()
    n_train = 950
    keras.utils.set_random_seed(SEED)
    model = build_model()
    optimizer = keras.optimizers.Nadam(learning_rate=3e-3, global_clipnorm=1.0)
    loss_fn = keras.losses.LogCosh()

    @tf.function
    def train_step(tb, sb, yb):
        with tf.GradientTape() as tape:
            pred = model([tb, sb], training=True)
            loss = loss_fn(yb, pred)
            loss += tf.add_n(model.losses)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    data = tf.data.Dataset.from_tensor_slices((trace[:n_train], static[:n_train], y[:n_train]))
    data = data.shuffle(n_train, seed=SEED, reshuffle_each_iteration=True).batch(40)
    history = []
    for _ in range(12):
        total = 0.0
        for tb, sb, yb in data:
            total += float(train_step(tb, sb, yb)) * int(tb.shape[0])
        history.append(total / n_train)
    print("training loss:", " ".join(f"{v:.4f}" for v in history))
    pred = model([trace[n_train:], static[n_train:]], training=False).numpy()
    print("test rmse: %.4f" % np.sqrt(np.mean((pred - y[n_train:]) ** 2)))


if __name__ == "__main__":
    main()
