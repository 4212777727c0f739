"""Denoising autoencoder on the digits: plain tf.Variables, own dropout masks, own RMSprop."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.random.set_seed(61)

pixels = (load_digits().data / 16.0).astype(np.float32)
pixels = pixels[np.random.default_rng(99).permutation(len(pixels))]
train, test = pixels[:1450], pixels[1450:]

SIZES = [64, 40, 12, 40, 64]
weights, biases = [], []
for n_in, n_out in zip(SIZES[:-1], SIZES[1:]):
    limit = np.sqrt(6.0 / (n_in + n_out))
    weights.append(tf.Variable(tf.random.uniform((n_in, n_out), -limit, limit)))
    biases.append(tf.Variable(tf.zeros(n_out)))
variables = weights + biases


def dropout(h, rate, training):
    if not training:
        return h
    keep = tf.cast(tf.random.uniform(tf.shape(h)) >= rate, h.dtype)
    return h * keep / (1.0 - rate)


def autoencode(x, training):
    h = dropout(x, 0.25, training)
    h = tf.tanh(h @ weights[0] + biases[0])
    h = dropout(h, 0.1, training)
    h = tf.tanh(h @ weights[1] + biases[1])
    h = tf.tanh(h @ weights[2] + biases[2])
    return h @ weights[3] + biases[3]


def bce(logits, target):
    return tf.reduce_mean(tf.nn.softplus(logits) - target * logits)


LR, ALPHA, EPS, MOMENTUM = 2e-3, 0.95, 1e-8, 0.5
square_avg = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]
buffers = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]


@tf.function(input_signature=[tf.TensorSpec((None, 64), tf.float32)])
def step(xb):
    with tf.GradientTape() as tape:
        loss = bce(autoencode(xb, True), xb)
    for var, g, s, buf in zip(variables, tape.gradient(loss, variables), square_avg, buffers):
        s.assign(ALPHA * s + (1.0 - ALPHA) * g * g)
        buf.assign(MOMENTUM * buf + g / (tf.sqrt(s) + EPS))
        var.assign_sub(LR * buf)
    return loss


rng = np.random.default_rng(8)
for epoch in range(25):
    order = rng.permutation(len(train))
    total = 0.0
    for start in range(0, len(train), 100):
        xb = train[order[start:start + 100]]
        total += float(step(xb)) * len(xb)
    print(f"epoch {epoch + 1:2d}: {total / len(train):.4f}")

print("test bce: %.4f" % float(bce(autoencode(test, False), test)))
