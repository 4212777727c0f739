"""Signed distance of a plane curve by a sine network with an eikonal penalty.

Plain TensorFlow: variables, the slope and the update rule are all written out.
"""
import numpy as np
import tensorflow as tf

SEED = 9
OMEGA = 4.0
WIDTH = 48
BATCH, EPOCHS = 100, 40
LR, RHO, EPS = 2e-4, 0.9, 1e-7


def ellipse_samples(n=1000):
    rng = np.random.default_rng(6)
    phi = rng.uniform(0, 2 * np.pi, n)
    on = np.stack([0.7 * np.cos(phi), 0.4 * np.sin(phi)], axis=1)
    normal = np.stack([np.cos(phi) / 0.7, np.sin(phi) / 0.4], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    off = rng.uniform(-1, 1, size=(n, 2))
    return on.astype(np.float32), normal.astype(np.float32), off.astype(np.float32)


def inside(pts):
    return (pts[:, 0] / 0.7) ** 2 + (pts[:, 1] / 0.4) ** 2 < 1


gen = tf.random.Generator.from_seed(SEED)


def draw(shape, bound):
    return tf.Variable(gen.uniform(shape, -bound, bound))


W1 = draw((2, WIDTH), 1 / 2)
b1 = draw((WIDTH,), 2 ** -0.5)
W2 = draw((WIDTH, WIDTH), (6 / WIDTH) ** 0.5 / OMEGA)
b2 = draw((WIDTH,), WIDTH ** -0.5)
W3 = draw((WIDTH, 1), (6 / WIDTH) ** 0.5 / OMEGA)
b3 = tf.Variable(tf.zeros((1,)))
params = [W1, b1, W2, b2, W3, b3]
mean_square = [tf.Variable(tf.zeros_like(p)) for p in params]


def net(p):
    h = tf.sin(OMEGA * (p @ W1 + b1))
    h = tf.sin(OMEGA * (h @ W2 + b2))
    return h @ W3 + b3


def net_and_slope(p):
    """Value and derivative by the chain rule, layer after layer."""
    a1 = OMEGA * (p @ W1 + b1)
    a2 = OMEGA * (tf.sin(a1) @ W2 + b2)
    f = tf.sin(a2) @ W3 + b3
    d2 = tf.transpose(W3) * tf.cos(a2) * OMEGA
    d1 = (d2 @ tf.transpose(W2)) * tf.cos(a1) * OMEGA
    return f, d1 @ tf.transpose(W1)


def total_loss(on, normal, off):
    n = tf.shape(on)[0]
    f, g = net_and_slope(tf.concat([on, off], axis=0))
    norm = tf.sqrt(tf.reduce_sum(g * g, axis=1) + 1e-12)
    cosine = tf.reduce_sum(g[:n] * normal, axis=1) / norm[:n]
    surface = tf.reduce_mean(tf.abs(f[:n]))
    eikonal = tf.reduce_mean((norm - 1.0) ** 2)
    repel = tf.reduce_mean(tf.exp(-20.0 * tf.abs(f[n:])))
    return 20.0 * surface + tf.reduce_mean(1.0 - cosine) + 0.5 * eikonal + repel, surface, eikonal


@tf.function(reduce_retracing=True)
def step(on, normal, off):
    with tf.GradientTape() as tape:
        loss, surface, eikonal = total_loss(on, normal, off)
    for p, v, g in zip(params, mean_square, tape.gradient(loss, params)):
        v.assign(RHO * v + (1.0 - RHO) * g * g)
        p.assign_sub(LR * g * tf.math.rsqrt(v + EPS))
    return loss, surface, eikonal


on, normal, off = ellipse_samples()
rng = np.random.default_rng(SEED)
for epoch in range(EPOCHS):
    order = rng.permutation(len(on))
    for start in range(0, len(on), BATCH):
        idx = order[start:start + BATCH]
        loss, surface, eikonal = step(tf.constant(on[idx]), tf.constant(normal[idx]), tf.constant(off[idx]))
    if epoch % 8 == 7:
        print(f"epoch {epoch + 1}  loss {float(loss):.4f}  surface {float(surface):.4f}  eikonal {float(eikonal):.4f}")

grid = np.stack(np.meshgrid(np.linspace(-1, 1, 61), np.linspace(-1, 1, 61)), -1).reshape(-1, 2).astype(np.float32)
sign = net(tf.constant(grid)).numpy().ravel() < 0
print(f"inside/outside accuracy {np.mean(sign == inside(grid)):.4f}")
