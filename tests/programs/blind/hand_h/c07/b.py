"""Autoencoder on digits: plain TensorFlow, AdamW, cosine schedule and clipping spelled out."""
import math

import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

BATCH, EPOCHS, LR, WD, CLIP = 64, 16, 4e-3, 0.05, 0.02
B1, B2, EPS = 0.9, 0.999, 1e-8

data = load_digits().data
data = data[np.random.default_rng(9).permutation(len(data))]
data = (data / 16.0).astype(np.float32)
train, test = data[:1500], data[1500:]

SEED = 17
tf.random.set_seed(SEED)
sizes = [64, 48, 10, 48, 64]
W, B = [], []
for k, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:])):
    W.append(tf.Variable(keras.initializers.GlorotUniform(seed=SEED + k)((n_in, n_out))))
    B.append(tf.Variable(tf.zeros(n_out)))
variables = W + B
decayed = [True] * len(W) + [False] * len(B)
first = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
second = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]


def gelu(x):
    return 0.5 * x * (1.0 + tf.math.erf(x / math.sqrt(2.0)))


def autoencode(x):
    h = gelu(tf.matmul(x, W[0]) + B[0])
    code = tf.matmul(h, W[1]) + B[1]
    h = gelu(tf.matmul(code, W[2]) + B[2])
    return tf.sigmoid(tf.matmul(h, W[3]) + B[3])


def mse(x):
    return tf.reduce_mean(tf.square(autoencode(x) - x))


@tf.function(reduce_retracing=True)
def train_step(xb, lr, corr1, corr2):
    with tf.GradientTape() as tape:
        loss = mse(xb)
    grads = tape.gradient(loss, variables)
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(tf.square(g)) for g in grads]))
    factor = tf.minimum(1.0, CLIP / (norm + 1e-6))
    for v, g, m, s, dec in zip(variables, grads, first, second, decayed):
        g = g * factor
        if dec:
            v.assign(v * (1.0 - lr * WD))
        m.assign(B1 * m + (1.0 - B1) * g)
        s.assign(B2 * s + (1.0 - B2) * g * g)
        v.assign_sub(lr * (m / corr1) / (tf.sqrt(s / corr2) + EPS))
    return loss


rng = np.random.default_rng(SEED)
total_steps = EPOCHS * math.ceil(len(train) / BATCH)
# training
step = 0
for epoch in range(EPOCHS):
    perm = rng.permutation(len(train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        xb = train[perm[i : i + BATCH]]
        lr = 0.5 * LR * (1.0 + math.cos(math.pi * step / total_steps))
        step += 1
        loss = train_step(
            tf.constant(xb),
            tf.constant(lr, tf.float32),
            tf.constant(1.0 - B1**step, tf.float32),
            tf.constant(1.0 - B2**step, tf.float32),
        )
        total += float(loss) * len(xb)
    print(f"epoch {epoch + 1} mse {total / len(train):.5f}")

print("test mse", float(mse(tf.constant(test))))
