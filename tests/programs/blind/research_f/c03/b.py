"""Small denoising diffusion model on two moons: plain tf.Variables, AdamW and EMA written out."""
import math

import numpy as np
import tensorflow as tf
from sklearn.datasets import make_moons

tf.random.set_seed(64)
order = np.random.default_rng(3)

T, WIDTH, FREQS = 50, 64, 4
STEPS, WARM, BATCH = 500, 40, 128
LR, DECAY, EMA = 4e-3, 0.01, 0.99
B1, B2, EPS = 0.9, 0.99, 1e-8

points = make_moons(1500, noise=0.05, random_state=0)[0]
points = ((points - points.mean(0)) / points.std(0)).astype("float32")
train, test = points[:1200], points[1200:]

betas = np.linspace(1e-3, 0.15, T)
alphas = 1.0 - betas
abar = np.cumprod(alphas)
sqrt_ab = tf.constant(np.sqrt(abar), tf.float32)
sqrt_1mab = tf.constant(np.sqrt(1 - abar), tf.float32)


def init(fan_in, fan_out, zero=False):
    w = tf.zeros([fan_in, fan_out]) if zero else tf.random.normal(
        [fan_in, fan_out], stddev=1.0 / math.sqrt(fan_in))
    return [tf.Variable(w), tf.Variable(tf.zeros([fan_out]))]


params = (init(2 + 2 * FREQS, WIDTH) + init(WIDTH, WIDTH) + init(WIDTH, 2, zero=True))
first = [tf.Variable(tf.zeros_like(p)) for p in params]
second = [tf.Variable(tf.zeros_like(p)) for p in params]
shadow = [tf.Variable(p.read_value()) for p in params]


def eps_net(p, x, t):
    ang = (tf.cast(t, tf.float32) / T)[:, None] * math.pi * 2.0 ** tf.range(FREQS, dtype=tf.float32)
    h = tf.concat([x, tf.sin(ang), tf.cos(ang)], 1)
    h = tf.nn.silu(h @ p[0] + p[1])
    h = tf.nn.silu(h @ p[2] + p[3])
    return h @ p[4] + p[5]


def diffusion_loss(p, x0, t, eps):
    xt = tf.gather(sqrt_ab, t)[:, None] * x0 + tf.gather(sqrt_1mab, t)[:, None] * eps
    return tf.reduce_mean(tf.square(eps_net(p, xt, t) - eps))


@tf.function
def train_step(x0, t, eps, lr, c1, c2):
    with tf.GradientTape() as tape:
        loss = diffusion_loss(params, x0, t, eps)
    for p, m, v, e, g in zip(params, first, second, shadow, tape.gradient(loss, params)):
        m.assign(B1 * m + (1 - B1) * g)
        v.assign(B2 * v + (1 - B2) * g * g)
        if p.shape.rank == 2:                       # no decay on biases
            p.assign(p * (1.0 - lr * DECAY))
        p.assign_sub(lr * (m / c1) / (tf.sqrt(v / c2) + EPS))
        e.assign(EMA * e + (1 - EMA) * p)
    return loss


def lr_at(s):
    if s < WARM:
        return LR * (s + 1) / WARM
    return LR * 0.5 * (1 + math.cos(math.pi * (s - WARM) / (STEPS - WARM)))


def sample(p, n):
    x = tf.random.normal([n, 2])
    for k in reversed(range(T)):
        e = eps_net(p, x, tf.fill([n], k))
        x = (x - betas[k] / math.sqrt(1 - abar[k]) * e) / math.sqrt(alphas[k])
        if k > 0:
            x = x + math.sqrt(betas[k]) * tf.random.normal([n, 2])
    return x.numpy()


def validate(p):
    rng = np.random.default_rng(99)
    t = rng.integers(0, T, (20, len(test)))
    eps = rng.normal(size=(20, len(test), 2)).astype("float32")
    return np.mean([float(diffusion_loss(p, test, t[i], eps[i])) for i in range(20)])


# ---- training
for step in range(STEPS):
    x0 = tf.constant(train[order.integers(0, len(train), BATCH)])
    t = tf.random.uniform([BATCH], 0, T, dtype=tf.int32)
    scalars = [tf.constant(s, tf.float32) for s in
               (lr_at(step), 1 - B1 ** (step + 1), 1 - B2 ** (step + 1))]
    loss = train_step(x0, t, tf.random.normal([BATCH, 2]), *scalars)
    if step % 100 == 0 or step == STEPS - 1:
        print(f"step {step} loss {float(loss):.4f} val (ema) {validate(shadow):.4f}")

s = sample(shadow, 400)
near = np.sqrt(((s[:, None] - test[None]) ** 2).sum(-1)).min(1)
print("mean distance of a sample to the nearest held-out point", near.mean())
