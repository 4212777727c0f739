"""Waveform classification, 1-D CNN; smoothing and learning-rate warm-up by hand (GradientTape)."""
import math

import numpy as np
import tensorflow as tf
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

BATCH, EPOCHS = 60, 12
TOTAL = EPOCHS * (len(x_train) // BATCH)
WARMUP, PEAK, FLOOR = 30, 8e-3, 0.05


class WaveNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = layers.Conv1D(12, 5, padding="same", use_bias=False)
        self.norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
        self.conv2 = layers.Conv1D(24, 5, padding="same")
        self.head = layers.Dense(K)

    def call(self, x, training=False):
        h = tf.nn.relu(self.norm(self.conv1(x), training=training))
        h = tf.nn.max_pool1d(h, 2, 2, "VALID")
        h = tf.nn.relu(self.conv2(h))
        return self.head(tf.reduce_mean(h, axis=1))


def smoothed_loss(logits, labels, eps=0.1):
    target = tf.one_hot(labels, K) * (1.0 - eps) + eps / K
    return -tf.reduce_mean(tf.reduce_sum(target * tf.nn.log_softmax(logits), axis=-1))


def learning_rate(step):
    if step < WARMUP:
        return PEAK * step / WARMUP
    progress = (step - WARMUP) / (TOTAL - WARMUP)
    return PEAK * ((1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * progress)) + FLOOR)


model = WaveNet()
model(x_train[:1])
optimizer = keras.optimizers.Adam(learning_rate=0.0)


@tf.function
def update(xb, yb):
    with tf.GradientTape() as tape:
        loss = smoothed_loss(model(xb, training=True), yb)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# ---- training
shuffler = np.random.default_rng(8)
step = 0
for epoch in range(EPOCHS):
    perm = shuffler.permutation(len(x_train))
    for start in range(0, len(perm), BATCH):
        idx = perm[start:start + BATCH]
        optimizer.learning_rate.assign(learning_rate(step))
        update(tf.constant(x_train[idx]), tf.constant(y_train[idx]))
        step += 1

for name, (x, y) in {"train": (x_train, y_train), "test": (x_test, y_test)}.items():
    logits = model(x, training=False)
    acc = np.mean(np.argmax(logits, axis=1) == y)
    print(f"{name}: loss {float(smoothed_loss(logits, y)):.4f} accuracy {acc:.4f}")
