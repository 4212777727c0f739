"""Tagging padded sensor recordings with bare TensorFlow: masked loss, Adam and the decay of its rate by hand."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

PAD = -100
T = 32
EPOCHS, BATCH = 15, 40


def recordings(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, T, 4))
    x[:, :, 0] += np.repeat(rng.normal(size=(n, T // 8)), 8, axis=1)
    length = rng.integers(12, T + 1, size=n)
    pad = np.arange(T)[None, :] >= length[:, None]
    x[pad] = 0.0
    k = np.ones(5) / 5
    smooth = np.stack([np.convolve(r, k, mode="same") for r in x[:, :, 0]])
    side = np.roll(x[:, :, 1], 1, axis=1)
    side[:, 0] = 0.0
    y = np.where(smooth > 0.35, 2, np.where(side * x[:, :, 2] > 0, 1, 0))
    y[pad] = PAD
    return x.astype(np.float32), y.astype(np.int64)


rng = np.random.default_rng(1)


def glorot(*shape):
    receptive = int(np.prod(shape[:-2]))
    bound = np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1])))
    return tf.Variable(rng.uniform(-bound, bound, size=shape).astype(np.float32))


w1, b1 = glorot(5, 4, 24), tf.Variable(tf.zeros(24))
w2, b2 = glorot(3, 24, 24), tf.Variable(tf.zeros(24))
w3, b3 = glorot(1, 24, 3), tf.Variable(tf.zeros(3))
theta = [w1, b1, w2, b2, w3, b3]
first = [tf.Variable(tf.zeros_like(p), trainable=False) for p in theta]
second = [tf.Variable(tf.zeros_like(p), trainable=False) for p in theta]


def net(x):
    h = tf.nn.relu(tf.nn.conv1d(x, w1, stride=1, padding="SAME") + b1)
    h = h + tf.tanh(tf.nn.conv1d(h, w2, stride=1, padding="SAME", dilations=2) + b2)
    return tf.nn.conv1d(h, w3, stride=1, padding="SAME") + b3


def masked_cross_entropy(logits, y):
    valid = tf.cast(tf.not_equal(y, PAD), tf.float32)
    label = tf.where(tf.equal(y, PAD), tf.zeros_like(y), y)
    log_p = tf.nn.log_softmax(logits, axis=-1)
    picked = tf.reduce_sum(tf.one_hot(label, 3) * log_p, axis=-1)
    return -tf.reduce_sum(picked * valid) / tf.reduce_sum(valid)


@tf.function(reduce_retracing=True)
def step(x, y, lr, c1, c2):
    with tf.GradientTape() as tape:
        loss = masked_cross_entropy(net(x), y)
    for p, g, m, v in zip(theta, tape.gradient(loss, theta), first, second):
        m.assign(0.9 * m + 0.1 * g)
        v.assign(0.999 * v + 0.001 * tf.square(g))
        p.assign_sub(lr * (m / c1) / (tf.sqrt(v / c2) + 1e-8))
    return loss


x, y = recordings(900, 60)
xt, yt = recordings(300, 61)
lr, t = 5e-3, 0
for epoch in range(EPOCHS):
    perm = rng.permutation(len(x))
    total = 0.0
    for s in range(0, len(x), BATCH):
        idx = perm[s:s + BATCH]
        t += 1
        c1, c2 = 1 - 0.9 ** t, 1 - 0.999 ** t
        total += len(idx) * float(step(tf.constant(x[idx]), tf.constant(y[idx]), tf.constant(lr, tf.float32),
                                       tf.constant(c1, tf.float32), tf.constant(c2, tf.float32)))
    lr *= 0.9
    print(f"epoch {epoch + 1} loss {total / len(x):.4f}")

logits = net(tf.constant(xt))
guess = np.argmax(logits.numpy(), axis=-1)
print(f"test loss {float(masked_cross_entropy(logits, yt)):.4f} step accuracy {np.mean((guess == yt)[yt != PAD]):.4f}")
