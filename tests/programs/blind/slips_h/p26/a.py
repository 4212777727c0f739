"""Gesture recognition from accelerometer windows: small transformer encoder (Keras)."""
import math

import numpy as np
import keras
import tensorflow as tf
from keras import layers, ops

STEPS, CHANNELS, CLASSES = 32, 3, 4
WIDTH, HEADS, FF, BLOCKS = 32, 4, 64, 2
DROPOUT = 0.1
BATCH_SIZE = 50
EPOCHS = 10
PEAK_LR = 2e-3
WARMUP = 40


def make_gestures(n=2000, seed=5):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, n)
    t = np.linspace(0, 1, STEPS)
    x = rng.normal(0, 0.4, (n, STEPS, CHANNELS))
    for i, k in enumerate(labels):
        f = rng.uniform(1.5, 3.0)
        ph = rng.uniform(0, 2 * np.pi)
        a, b = np.sin(2 * np.pi * f * t + ph), np.cos(2 * np.pi * f * t + ph)
        window = np.exp(-((t - rng.uniform(0.25, 0.75)) / 0.2) ** 2)
        if k == 0:      # circle
            x[i, :, 0] += a; x[i, :, 1] += b
        elif k == 1:    # circle, other way round
            x[i, :, 0] += a; x[i, :, 1] -= b
        elif k == 2:    # shake
            x[i, :, 0] += 1.5 * window * np.sin(2 * np.pi * 6 * t + ph)
            x[i, :, 1] += a
        else:           # lift
            x[i, :, 2] += 1.2 * window
            x[i, :, 0] += b
    return x.astype(np.float32), labels


class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, warmup, total):
        self.peak, self.warmup, self.total = peak, warmup, total

    def __call__(self, step):
        step = ops.cast(step, "float32")
        rising = (step + 1) / self.warmup
        falling = 0.5 * (1 + ops.cos(math.pi * (step - self.warmup) / (self.total - self.warmup)))
        return self.peak * ops.where(step < self.warmup, rising, falling)

    def get_config(self):
        return {"peak": self.peak, "warmup": self.warmup, "total": self.total}


class AddPosition(layers.Layer):
    def build(self, shape):
        self.position = self.add_weight(
            name="position", shape=shape[1:],
            initializer=keras.initializers.RandomNormal(mean=0.0, stddev=0.02),
        )

    def call(self, x):
        return x + self.position


def gelu(x):
    return keras.activations.gelu(x, approximate=False)


def encoder_block(x):
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=DROPOUT, use_bias=False)(y, y)
    x = x + layers.Dropout(DROPOUT)(y)
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dense(FF, activation=gelu)(y)
    y = layers.Dense(WIDTH)(y)
    return x + layers.Dropout(DROPOUT)(y)


def build_model():
    inputs = keras.Input((STEPS, CHANNELS))
    x = layers.Dense(WIDTH)(inputs)
    x = AddPosition()(x)
    for _ in range(BLOCKS):
        x = encoder_block(x)
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def compile_model(model, total_steps):
    model.compile(
        optimizer=keras.optimizers.AdamW(
            learning_rate=WarmupCosine(PEAK_LR, WARMUP, total_steps),
            weight_decay=0.01, beta_1=0.9, beta_2=0.98, epsilon=1e-12,
        ),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=["accuracy"],
    )


def main():
    keras.utils.set_random_seed(77)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    x, labels = make_gestures()
    y = keras.utils.to_categorical(labels, CLASSES)
    train = tf.data.Dataset.from_tensor_slices((x[:1600], y[:1600]))
    train = train.shuffle(1600, reshuffle_each_iteration=True).batch(BATCH_SIZE)
    test = tf.data.Dataset.from_tensor_slices((x[1600:], y[1600:])).batch(BATCH_SIZE)

    model = build_model()
    compile_model(model, total_steps=EPOCHS * len(train))
    model.fit(train, epochs=EPOCHS, validation_data=test, verbose=2)
    loss, acc = model.evaluate(test, verbose=0)
    print(f"test: loss {loss:.4f}, accuracy {acc:.4f}, parameters {model.count_params()}")


if __name__ == "__main__":
    main()
