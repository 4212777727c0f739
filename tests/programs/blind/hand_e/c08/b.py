"""Event counts from a short signal: same network in a GradientTape loop with hand-made
layer norm, Poisson loss, learning-rate curve, clipping and momentum."""
import math
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(17)
EPOCHS, BATCH = 20, 48
PEAK, WARM, DECAY, FLOOR = 0.03, 40, 260, 0.05
MU, CLIP = 0.9, 0.5


def make_data(n=900, seed=8):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 24, 3))
    x[:, :, 0] = np.cumsum(x[:, :, 0], axis=1) / 3.0
    slope = x[:, -6:, 0].mean(1) - x[:, :6, 0].mean(1)
    burst = np.maximum(x[:, :, 1] + x[:, :, 2] - 1.0, 0).mean(1)
    rate = np.exp(np.clip(0.4 + 0.5 * slope + 1.5 * burst, -2.0, 2.5))
    return x.astype("float32"), rng.poisson(rate).astype("float32")[:, None]


class MyLayerNorm(layers.Layer):
    def build(self, shape):
        self.gamma = self.add_weight(shape=(shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(shape[-1],), initializer="zeros", name="beta")

    def call(self, h):
        mean = tf.reduce_mean(h, axis=-1, keepdims=True)
        var = tf.reduce_mean(tf.square(h - mean), axis=-1, keepdims=True)
        return self.gamma * (h - mean) / tf.sqrt(var + 1e-3) + self.beta


x, y = make_data()
x_train, y_train, x_test, y_test = x[:700], y[:700], x[700:], y[700:]

model = keras.Sequential([
    layers.Input((24, 3)),
    layers.Conv1D(16, 5, padding="same", activation="swish",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    MyLayerNorm(),
    layers.Conv1D(16, 3, strides=2, padding="same", activation="swish",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Flatten(),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])


def poisson(target, rate):
    return tf.reduce_mean(rate - target * tf.math.log(rate + 1e-7))


def learning_rate(k):
    if k < WARM:
        return PEAK * k / WARM
    progress = min(k - WARM, DECAY) / DECAY
    return PEAK * ((1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * progress)) + FLOOR)


momenta = [tf.Variable(tf.zeros_like(v), trainable=False) for v in model.trainable_variables]


@tf.function(reduce_retracing=True)
def step(xb, yb, lr):
    with tf.GradientTape() as tape:
        loss = poisson(yb, tf.exp(model(xb, training=True)))
    grads = tape.gradient(loss, model.trainable_variables)
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(g * g) for g in grads]))
    scale = tf.where(norm > CLIP, CLIP / norm, 1.0)
    for v, g, m in zip(model.trainable_variables, grads, momenta):
        m.assign(MU * m - lr * scale * g)
        v.assign_add(m)
    return loss


rng = np.random.default_rng(171)
k = 0
for epoch in range(EPOCHS):
    order = rng.permutation(len(x_train))
    total = 0.0
    for s in range(0, len(order), BATCH):
        idx = order[s:s + BATCH]
        loss = step(tf.constant(x_train[idx]), tf.constant(y_train[idx]),
                    tf.constant(learning_rate(k), tf.float32))
        total += float(loss) * len(idx)
        k += 1
    print(f"epoch {epoch + 1}/{EPOCHS} loss {total / len(order):.4f}")

print("test poisson loss: %.4f" % float(poisson(y_test, tf.exp(model(x_test, training=False)))))
