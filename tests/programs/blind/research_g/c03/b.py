"""Denoising diffusion on two moons; weights averaged exponentially. TensorFlow variables."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import make_moons

tf.random.set_seed(0)

T, BATCH, EPOCHS, LR, DECAY, EMA, WARM = 40, 200, 40, 3e-3, 0.02, 0.98, 50
B1, B2, EPS = 0.9, 0.99, 1e-8

points, _ = make_moons(n_samples=2400, noise=0.06, random_state=3)
points = ((points - points.mean(0)) / points.std(0)).astype(np.float32)
train, test = points[:2000], points[2000:]

betas = np.linspace(1e-3, 0.2, T)
abar = tf.constant(np.cumprod(1.0 - betas).astype(np.float32))
freqs = tf.constant((2.0 ** np.arange(4) * np.pi / 2).astype(np.float32))


def dense(n_in, n_out):
    w = tf.Variable(tf.random.normal((n_in, n_out), stddev=np.sqrt(1.0 / n_in)))
    return [w, tf.Variable(tf.zeros(n_out))]


params = dense(10, 96) + dense(96, 96) + dense(96, 2)
average = [tf.Variable(p) for p in params]
first = [tf.Variable(tf.zeros_like(p)) for p in params]
second = [tf.Variable(tf.zeros_like(p)) for p in params]
count = tf.Variable(0.0)


def denoise(p, x, t):
    phase = (tf.cast(t, tf.float32) / T)[:, None] * freqs[None]
    h = tf.concat([x, tf.sin(phase), tf.cos(phase)], axis=1)
    h = tf.nn.silu(h @ p[0] + p[1])
    h = h + tf.nn.silu(h @ p[2] + p[3])
    return h @ p[4] + p[5]


def noised(x, t, eps):
    a = tf.gather(abar, t)[:, None]
    return tf.sqrt(a) * x + tf.sqrt(1.0 - a) * eps


@tf.function
def train_step(x):
    t = tf.random.uniform((tf.shape(x)[0],), 0, T, dtype=tf.int32)
    eps = tf.random.normal(tf.shape(x))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(denoise(params, noised(x, t, eps), t) - eps))
    grads = tape.gradient(loss, params)
    # Adam with decoupled decay of the matrices, warmed up linearly
    count.assign_add(1.0)
    lr = LR * tf.minimum(1.0, count / WARM)
    for w, g, m, v, avg in zip(params, grads, first, second, average):
        if len(w.shape) == 2:
            w.assign(w * (1.0 - lr * DECAY))
        m.assign(B1 * m + (1.0 - B1) * g)
        v.assign(B2 * v + (1.0 - B2) * g * g)
        m_hat = m / (1.0 - tf.pow(B1, count))
        v_hat = v / (1.0 - tf.pow(B2, count))
        w.assign_sub(lr * m_hat / (tf.sqrt(v_hat) + EPS))
        avg.assign(EMA * avg + (1.0 - EMA) * w)
    return loss


order = np.random.default_rng(0)
for epoch in range(EPOCHS):
    total = 0.0
    perm = order.permutation(len(train))
    for lo in range(0, len(train), BATCH):
        x = tf.constant(train[perm[lo:lo + BATCH]])
        total += float(train_step(x)) * len(x)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:3d}  noise mse {total / len(train):.4f}")

rng = np.random.default_rng(99)
t = tf.constant(np.arange(len(test)) % T)
eps = tf.constant(rng.standard_normal((len(test), 2)).astype(np.float32))
for name, p in (("live", params), ("averaged", average)):
    out = denoise(p, noised(test, t, eps), t)
    print(name, "test noise mse %.4f" % float(tf.reduce_mean(tf.square(out - eps))))
