"""Contrastive representation of short waves (NT-Xent), plain TensorFlow variables."""
import math
import numpy as np
import tensorflow as tf

SEED = 8
tf.random.set_seed(SEED)

N, LENGTH, BATCH, EPOCHS = 1000, 32, 64, 15
LR, MOMENTUM, CLIP, TEMPERATURE = 0.3, 0.9, 1.0, 0.3

rng = np.random.default_rng(17)
kind = rng.integers(0, 4, N + 400)
grid = np.linspace(0.0, 1.0, LENGTH)
phase = rng.uniform(0.0, 2 * np.pi, N + 400)[:, None]
arg = 2 * np.pi * grid[None] * (1.0 + kind // 2)[:, None] + phase
wave = np.where((kind % 2 == 0)[:, None], np.sin(arg), np.sign(np.sin(arg)))
wave = (wave + 0.25 * rng.standard_normal(wave.shape)).astype(np.float32)
train, test, k_train, k_test = wave[:N], wave[N:], kind[:N], kind[N:]


def glorot(n_in, n_out):
    limit = math.sqrt(6.0 / (n_in + n_out))
    return tf.Variable(tf.random.uniform((n_in, n_out), -limit, limit))


params = []
for n_in, n_out in ((LENGTH, 64), (64, 32), (32, 32), (32, 16)):
    params += [glorot(n_in, n_out), tf.Variable(tf.zeros(n_out))]
velocity = [tf.Variable(tf.zeros_like(p)) for p in params]
clock = tf.Variable(0.0)
TOTAL = EPOCHS * math.ceil(N / BATCH)


def encode(x):
    h = tf.nn.relu(x @ params[0] + params[1])
    return tf.nn.relu(h @ params[2] + params[3])


def project(h):
    return tf.nn.relu(h @ params[4] + params[5]) @ params[6] + params[7]


def augment(x):
    n = tf.shape(x)[0]
    gain = tf.random.uniform((n, 1), 0.7, 1.3)
    keep = tf.cast(tf.random.uniform(tf.shape(x)) >= 0.1, tf.float32)
    return (gain * x + 0.2 * tf.random.normal(tf.shape(x))) * keep


def nt_xent(z1, z2):
    n = tf.shape(z1)[0]
    z = tf.math.l2_normalize(tf.concat([z1, z2], axis=0), axis=1, epsilon=1e-12)
    sim = z @ tf.transpose(z) / TEMPERATURE
    sim = tf.where(tf.eye(2 * n, dtype=tf.bool), -1e9, sim)
    partner = tf.concat([tf.range(n) + n, tf.range(n)], axis=0)
    positive = tf.gather(sim, partner, batch_dims=1)
    return tf.reduce_mean(tf.reduce_logsumexp(sim, axis=1) - positive)


@tf.function
def train_step(x):
    view1, view2 = augment(x), augment(x)
    with tf.GradientTape() as tape:
        loss = nt_xent(project(encode(view1)), project(encode(view2)))
    grads = tape.gradient(loss, params)
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(g * g) for g in grads]))
    scale = CLIP / tf.maximum(norm, CLIP)
    lr = LR * 0.5 * (1.0 + tf.cos(math.pi * clock / TOTAL))
    for p, v, g in zip(params, velocity, grads):
        v.assign(MOMENTUM * v - lr * scale * g)
        p.assign_add(v)
    clock.assign_add(1.0)
    return loss


shuffler = np.random.default_rng(SEED)
for epoch in range(EPOCHS):
    perm, total = shuffler.permutation(N), 0.0
    for lo in range(0, N, BATCH):
        x = tf.constant(train[perm[lo:lo + BATCH]])
        total += float(train_step(x)) * len(x)
    print(f"epoch {epoch + 1:2d}  loss {total / N:.4f}")


def knn(a, b):
    a = a / (np.linalg.norm(a, axis=1, keepdims=True) + 1e-9)
    b = b / (np.linalg.norm(b, axis=1, keepdims=True) + 1e-9)
    votes = k_train[np.argsort(-(b @ a.T), axis=1)[:, :9]]
    return np.mean([np.bincount(v, minlength=4).argmax() == k for v, k in zip(votes, k_test)])


print(f"9-nn accuracy: representation {knn(encode(train).numpy(), encode(test).numpy()):.3f}  raw {knn(train, test):.3f}")
