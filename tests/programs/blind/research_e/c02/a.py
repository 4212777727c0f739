"""WGAN-GP on a ring of Gaussians, plain TensorFlow variables, Adam written out."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

tf.random.set_seed(3)

# ---- data: eight blobs on a circle
rng = np.random.default_rng(42)
angle = rng.integers(0, 8, 2000) * (2 * np.pi / 8)
real = np.stack([np.cos(angle), np.sin(angle)], 1) + 0.08 * rng.normal(size=(2000, 2))
real = tf.constant(real.astype(np.float32))
z_eval = tf.constant(rng.normal(size=(1000, 4)).astype(np.float32))

NZ, HID, BATCH, N_CRITIC, ROUNDS, LAMBDA = 4, 48, 128, 4, 110, 1.0


def glorot(n_in, n_out):
    lim = (6.0 / (n_in + n_out)) ** 0.5
    return tf.Variable(tf.random.uniform((n_in, n_out), -lim, lim))


def zeros(n):
    return tf.Variable(tf.zeros(n))


G = [glorot(NZ, HID), zeros(HID), glorot(HID, HID), zeros(HID), glorot(HID, 2), zeros(2)]
D = [glorot(2, HID), zeros(HID), glorot(HID, HID), zeros(HID), glorot(HID, 1)]


def generate(z):
    h = tf.nn.relu(z @ G[0] + G[1])
    h = tf.nn.relu(h @ G[2] + G[3])
    return h @ G[4] + G[5]


def critic(x):
    h = tf.nn.tanh(x @ D[0] + D[1])
    h = tf.nn.tanh(h @ D[2] + D[3])
    return (h @ D[4])[:, 0]


class Adam:
    def __init__(self, params, lr, b1, b2, eps):
        self.params, self.lr, self.b1, self.b2, self.eps = params, lr, b1, b2, eps
        self.m = [tf.Variable(tf.zeros_like(p)) for p in params]
        self.v = [tf.Variable(tf.zeros_like(p)) for p in params]
        self.t = tf.Variable(0.0)

    def step(self, grads):
        self.t.assign_add(1.0)
        c1 = 1.0 - self.b1**self.t
        c2 = 1.0 - self.b2**self.t
        for p, g, m, v in zip(self.params, grads, self.m, self.v):
            m.assign(self.b1 * m + (1.0 - self.b1) * g)
            v.assign(self.b2 * v + (1.0 - self.b2) * g * g)
            p.assign_sub(self.lr * (m / c1) / (tf.sqrt(v / c2) + self.eps))


opt_g = Adam(G, 1e-3, 0.5, 0.9, 1e-8)
opt_d = Adam(D, 5e-3, 0.5, 0.9, 1e-8)


@tf.function
def critic_step():
    x = tf.gather(real, tf.random.uniform((BATCH,), 0, 2000, dtype=tf.int32))
    fake = generate(tf.random.normal((BATCH, NZ)))
    u = tf.random.uniform((BATCH, 1))
    mid = u * x + (1.0 - u) * fake
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(mid)
            s = tf.reduce_sum(critic(mid))
        slope = inner.gradient(s, mid)
        norm = tf.sqrt(tf.reduce_sum(slope**2, axis=1) + 1e-12)
        gap = tf.reduce_mean(critic(x)) - tf.reduce_mean(critic(fake))
        loss = -gap + LAMBDA * tf.reduce_mean((norm - 1.0) ** 2)
    opt_d.step(outer.gradient(loss, D))
    return gap


@tf.function
def generator_step():
    z = tf.random.normal((BATCH, NZ))
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generate(z)))
    opt_g.step(tape.gradient(loss, G))


for k in range(ROUNDS):
    for _ in range(N_CRITIC):
        gap = critic_step()
    generator_step()
    if k % 22 == 21:
        print(f"round {k + 1}: critic gap {float(gap):.4f}")


def mean_dist(a, b):
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1)).mean()


fake, ref = generate(z_eval).numpy(), real.numpy()[:1000]
print(f"energy distance {2 * mean_dist(fake, ref) - mean_dist(fake, fake) - mean_dist(ref, ref):.4f}")
