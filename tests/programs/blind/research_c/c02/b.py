# mixture density network, plain TensorFlow variables
import numpy as np
import tensorflow as tf

tf.random.set_seed(3)

rng = np.random.default_rng(42)
N, K = 1000, 3
x = rng.uniform(-1, 1, size=(N, 1))
branch = rng.choice([-1.0, 1.0], size=(N, 1))
y = branch * (0.4 + 0.8 * x ** 2) + (0.05 + 0.1 * np.abs(x)) * rng.normal(size=(N, 1))
x, y = x.astype(np.float32), y.astype(np.float32)
x_tr, y_tr, x_va, y_va = x[:800], y[:800], x[800:], y[800:]

HIDDEN = 40
LR, MOMENTUM = 0.01, 0.9


def glorot(n_in, n_out):
    bound = (6.0 / (n_in + n_out)) ** 0.5
    return tf.Variable(tf.random.uniform([n_in, n_out], -bound, bound))


W1, b1 = glorot(1, HIDDEN), tf.Variable(tf.zeros([HIDDEN]))
W2, b2 = glorot(HIDDEN, 3 * K), tf.Variable(tf.zeros([3 * K]))
params = [W1, b1, W2, b2]
velocity = [tf.Variable(tf.zeros_like(p)) for p in params]


def nll(x, y):
    h = tf.tanh(x @ W1 + b1)
    logit, mu, raw = tf.split(h @ W2 + b2, 3, axis=1)
    sigma = tf.math.softplus(raw) + 0.02
    logpi = logit - tf.reduce_logsumexp(logit, axis=1, keepdims=True)
    log_normal = -0.5 * tf.square((y - mu) / sigma) - tf.math.log(sigma) - 0.5 * np.log(2 * np.pi).astype(np.float32)
    return -tf.reduce_mean(tf.reduce_logsumexp(logpi + log_normal, axis=1))


@tf.function(reduce_retracing=True)
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = nll(xb, yb)
    for p, v, g in zip(params, velocity, tape.gradient(loss, params)):
        v.assign(MOMENTUM * v + g)
        p.assign_sub(LR * v)
    return loss


shuffle = np.random.default_rng(7)
for epoch in range(25):
    perm = shuffle.permutation(len(x_tr))
    for start in range(0, len(perm), 48):
        idx = perm[start:start + 48]
        step(tf.constant(x_tr[idx]), tf.constant(y_tr[idx]))
    if epoch % 6 == 0 or epoch == 24:
        print(f"epoch {epoch:2d}  train nll {float(nll(x_tr, y_tr)):.4f}  valid nll {float(nll(x_va, y_va)):.4f}")
