"""Estimate the frequency of a noisy oscillation with a small 1-D conv net."""
import math

import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(5)

N_TRAIN, N_TEST, LENGTH = 1100, 300, 48
BATCH, EPOCHS, LR, FLOOR = 40, 14, 0.08, 0.05


def make_data():
    rng = np.random.default_rng(2024)
    n = N_TRAIN + N_TEST
    freq = rng.uniform(0.5, 5.0, size=n)
    phase = rng.uniform(0, 2 * np.pi, size=n)
    t = np.linspace(0, 1, LENGTH)
    x = np.sin(2 * np.pi * freq[:, None] * t + phase[:, None])
    x += 0.2 * rng.normal(size=x.shape)
    y = (freq - 2.75) / 1.3
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


def build():
    return keras.Sequential([
        keras.Input((LENGTH, 1)),
        layers.Conv1D(12, 5, padding="valid", activation="relu",
                      kernel_initializer="he_uniform", bias_initializer="zeros"),
        layers.MaxPooling1D(2),
        layers.Conv1D(16, 5, padding="valid", activation="relu",
                      kernel_initializer="he_uniform", bias_initializer="zeros"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ])


def main():
    xtr, ytr, xte, yte = make_data()
    xtr, xte = xtr[..., None], xte[..., None]
    ytr, yte = ytr[:, None], yte[:, None]
    model = build()
    huber = keras.losses.Huber(delta=1.0)
    steps = EPOCHS * math.ceil(N_TRAIN / BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(LR, decay_steps=steps, alpha=FLOOR)
    opt = keras.optimizers.SGD(schedule, momentum=0.0)

    @tf.function(reduce_retracing=True)
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            loss = huber(yb, model(xb, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        opt.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    data = tf.data.Dataset.from_tensor_slices((xtr, ytr))
    data = data.shuffle(N_TRAIN, reshuffle_each_iteration=True).batch(BATCH)
    for epoch in range(EPOCHS):
        total = 0.0
        for xb, yb in data:
            total += float(train_step(xb, yb)) * len(xb)
        print(f"epoch {epoch + 1:2d} train huber {total / N_TRAIN:.4f}")

    pred = model(xte, training=False)
    mae = float(tf.reduce_mean(tf.abs(pred - yte)))
    print(f"test huber {float(huber(yte, pred)):.4f}  mae {mae:.4f}")


if __name__ == "__main__":
    main()
