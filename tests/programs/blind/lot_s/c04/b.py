"""Denoising autoencoder with TensorFlow ops."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(77)
rng = np.random.default_rng(77)


def make_data(n=640, size=12):
    rng = np.random.default_rng(27)
    yy, xx = np.mgrid[0:size, 0:size]
    clean = np.zeros((n, size, size))
    for i in range(n):
        cy, cx = rng.uniform(2, size - 3, size=2)
        w, h = rng.uniform(1.0, 3.0, size=2)
        if i % 2:
            clean[i] = np.exp(-((yy - cy) / h) ** 2 - ((xx - cx) / w) ** 2)
        else:
            clean[i] = ((abs(yy - cy) < h) & (abs(xx - cx) < w)).astype(float)
    noisy = clean + 0.3 * rng.normal(size=clean.shape)
    return noisy.astype("float32"), clean.astype("float32")


def conv_vars(cin, cout, k=3):
    limit = np.sqrt(6.0 / (k * k * (cin + cout)))
    kernel = tf.Variable(tf.random.uniform((k, k, cin, cout), -limit, limit))
    return kernel, tf.Variable(tf.zeros(cout))


params = [conv_vars(1, 8), conv_vars(8, 12), conv_vars(12, 8), conv_vars(8, 1)]
variables = [v for pair in params for v in pair]
velocity = [tf.Variable(tf.zeros_like(v)) for v in variables]
LR, MU = 0.05, 0.9


def conv(x, p):
    return tf.nn.conv2d(x, p[0], strides=1, padding="SAME") + p[1]


def forward(x):
    h = tf.nn.max_pool2d(tf.nn.relu(conv(x, params[0])), 2, 2, "VALID")
    h = tf.nn.relu(conv(h, params[1]))
    h = tf.nn.relu(conv(h, params[2]))
    h = tf.repeat(tf.repeat(h, 2, axis=1), 2, axis=2)
    return conv(h, params[3])


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(forward(x) - y))
    grads = tape.gradient(loss, variables)
    for v, m, g in zip(variables, velocity, grads):
        m.assign(MU * m - LR * g)
        v.assign_add(MU * m - LR * g)
    return loss


noisy, clean = (v[..., None] for v in make_data())
for epoch in range(10):
    order = rng.permutation(512)
    total = 0.0
    for s in range(0, 512, 32):
        idx = order[s:s + 32]
        total += float(step(noisy[idx], clean[idx])) * len(idx)
    val = float(tf.reduce_mean(tf.square(forward(noisy[512:]) - clean[512:])))
    print(f"epoch {epoch + 1} train {total / 512:.5f} val {val:.5f}")
