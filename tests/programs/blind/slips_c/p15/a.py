import numpy as np
import tensorflow as tf

rng = np.random.default_rng(606)
X = rng.normal(size=(900, 9)).astype(np.float32)
t = 2.0 * np.sin(X[:, 0] + X[:, 1]) + X[:, 2] * X[:, 3] + 0.5 * X[:, 4]
t = t + 0.1 * rng.standard_t(2, size=900)
T = t.astype(np.float32)
xtr, ttr, xte, tte = X[:720], T[:720], X[720:], T[720:]

tf.random.set_seed(12)
np_rng = np.random.default_rng(12)


def glorot(i, o):
    lim = np.sqrt(6.0 / (i + o))
    return tf.Variable(tf.random.uniform((i, o), -lim, lim))


W1, b1 = glorot(9, 32), tf.Variable(tf.zeros(32))
gain, shift = tf.Variable(tf.ones(32)), tf.Variable(tf.zeros(32))
W2, b2 = glorot(32, 32), tf.Variable(tf.zeros(32))
W3, b3 = glorot(32, 1), tf.Variable(tf.zeros(1))
weights = [W1, b1, gain, shift, W2, b2, W3, b3]
square = [tf.Variable(tf.zeros_like(w)) for w in weights]


def net(x):
    h = x @ W1 + b1
    mu = tf.reduce_mean(h, axis=-1, keepdims=True)
    var = tf.reduce_mean(tf.square(h - mu), axis=-1, keepdims=True)
    h = (h - mu) / tf.sqrt(var + 1e-5) * gain + shift
    h = tf.nn.gelu(h, approximate=False)
    h = tf.nn.gelu(h @ W2 + b2, approximate=False)
    return h @ W3 + b3


def huber(pred, target):
    d = tf.abs(pred - target)
    return tf.reduce_mean(tf.where(d <= 1.0, 0.5 * d * d, d - 0.5))


@tf.function
def update(x, y, lr):
    with tf.GradientTape() as tape:
        loss = huber(net(x), y)
    for w, s, g in zip(weights, square, tape.gradient(loss, weights)):
        s.assign(0.95 * s + 0.05 * g * g)
        w.assign_sub(lr * g / (tf.sqrt(s) + 1e-8))
    return loss


step = 0
for epoch in range(12):
    order = np_rng.permutation(720)
    tot = 0.0
    for i in range(0, 720, 36):
        idx = order[i:i + 36]
        lr = 0.003 / (1.0 + 0.01 * step)
        tot += float(update(tf.constant(xtr[idx]), tf.constant(ttr[idx]), tf.constant(lr, tf.float32))) * len(idx)
        step += 1
    print(f"[{epoch}] huber {tot / 720:.4f}")

print(f"test huber {float(huber(net(xte), tte)):.4f}")
print(f"test mae {float(tf.reduce_mean(tf.abs(net(xte) - tte))):.4f}")
