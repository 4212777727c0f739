"""Stripe directions: convnet with BatchNormalization, custom GradientTape loop."""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

SEED = 20
keras.utils.set_random_seed(SEED)


def stripes(n, rng):
    label = rng.integers(0, 4, n)
    theta = label * np.pi / 4 + 0.12 * rng.standard_normal(n)
    freq, phase = rng.uniform(0.8, 1.4, n), rng.uniform(0, 2 * np.pi, n)
    i, j = np.meshgrid(np.arange(12), np.arange(12), indexing="ij")
    arg = (np.cos(theta)[:, None, None] * i + np.sin(theta)[:, None, None] * j)
    x = np.sin(freq[:, None, None] * arg + phase[:, None, None]) + 0.8 * rng.standard_normal((n, 12, 12))
    return x[..., None].astype("float32"), label.astype("int32")


rng = np.random.default_rng(8)
x_train, y_train = stripes(800, rng)
x_test, y_test = stripes(400, rng)


def build():
    reg = keras.regularizers.L2(5e-4)
    inputs = keras.Input((12, 12, 1))
    x = layers.Conv2D(12, 3, padding="same", use_bias=False, kernel_regularizer=reg)(inputs)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(24, 3, padding="same", use_bias=False, kernel_regularizer=reg)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(4, kernel_regularizer=reg)(x))


model = build()
schedule = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=60, decay_rate=0.6, staircase=True)
optimizer = keras.optimizers.SGD(schedule, momentum=0.9)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


@tf.function(reduce_retracing=True)
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True)) + sum(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


order_rng = np.random.default_rng(SEED)
BATCH = 48
for epoch in range(10):
    order = order_rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(x_train), BATCH):
        idx = order[start:start + BATCH]
        total += float(tf.reduce_sum(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))))
    print(f"epoch {epoch + 1:2d}  loss {total / len(x_train):.4f}")

logits = model(x_test, training=False).numpy()
logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
print(f"test loss {-logp[np.arange(len(y_test)), y_test].mean():.4f}  "
      f"test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
