"""Mean and variance of a target that depends on a set of points: attention spelt out.

Plain TensorFlow: variables in a dictionary, gradient tape, clipping and Adam written by hand.
"""
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(13)
tf.random.set_seed(13)

N_MAX, FEATS, DIM, HEADS, HID, DROP = 8, 3, 16, 2, 32, 0.1
BATCH, EPOCHS, LR, L2, CLIP = 64, 16, 3e-3, 1e-4, 1.0
B1, B2, EPS = 0.9, 0.999, 1e-7
HEAD_DIM = DIM // HEADS


def make_data(n, seed):
    r = np.random.default_rng(seed)
    size = r.integers(3, N_MAX + 1, n)
    mask = (np.arange(N_MAX)[None] < size[:, None]).astype("float32")
    x = r.standard_normal((n, N_MAX, FEATS)) * mask[:, :, None]
    w = np.exp(2.0 * x[:, :, 1]) * mask
    mean = 2.0 * (w * x[:, :, 0]).sum(1) / w.sum(1)
    std = 0.05 + 0.6 / (1 + np.exp(-4 * x[:, :, 2].sum(1) / size))
    y = mean + std * r.standard_normal(n)
    return x.astype("float32"), mask, y.astype("float32")[:, None]


x_train, m_train, y_train = make_data(1800, 0)
x_test, m_test, y_test = make_data(600, 1)


def glorot(fan_in, fan_out, shape=None):
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return tf.Variable(rng.uniform(-limit, limit, shape or (fan_in, fan_out)).astype("float32"))


def constant(value, n):
    return tf.Variable(tf.fill((n,), value))


V = {
    "we": glorot(FEATS, DIM), "be": constant(0.0, DIM),
    "wq": glorot(DIM, DIM, (DIM, HEADS, HEAD_DIM)),
    "wk": glorot(DIM, DIM, (DIM, HEADS, HEAD_DIM)),
    "wv": glorot(DIM, DIM, (DIM, HEADS, HEAD_DIM)),
    "wo": glorot(DIM, DIM, (HEADS, HEAD_DIM, DIM)),
    "gamma": constant(1.0, DIM), "beta": constant(0.0, DIM),
    "wh": glorot(DIM, HID), "bh": constant(0.0, HID),
    "w2": glorot(HID, 2), "b2": constant(0.0, 2),
}
first = {k: tf.Variable(tf.zeros_like(v)) for k, v in V.items()}
second = {k: tf.Variable(tf.zeros_like(v)) for k, v in V.items()}
count = tf.Variable(0.0)


def forward(x, mask, training):
    h = x @ V["we"] + V["be"]
    q = tf.einsum("bnd,dhe->bnhe", h, V["wq"])
    k = tf.einsum("bnd,dhe->bnhe", h, V["wk"])
    v = tf.einsum("bnd,dhe->bnhe", h, V["wv"])
    score = tf.einsum("bnhe,bmhe->bhnm", q, k) * (HEAD_DIM ** -0.5)
    score = tf.where(mask[:, None, None, :] > 0, score, -1e9)
    mixed = tf.einsum("bhnm,bmhe->bnhe", tf.nn.softmax(score), v)
    h = h + tf.einsum("bnhe,hed->bnd", mixed, V["wo"])
    mean, var = tf.nn.moments(h, axes=[-1], keepdims=True)
    h = (h - mean) / tf.sqrt(var + 1e-5) * V["gamma"] + V["beta"]
    pooled = tf.einsum("bnd,bn->bd", h, mask) / tf.reduce_sum(mask, axis=1, keepdims=True)
    if training:
        pooled = tf.nn.dropout(pooled, rate=DROP)
    return tf.nn.relu(pooled @ V["wh"] + V["bh"]) @ V["w2"] + V["b2"]


def gaussian_nll(y, out):
    mu, logvar = tf.split(out, 2, axis=1)
    return tf.reduce_mean(0.5 * (logvar + (y - mu) ** 2 / tf.exp(logvar)))


@tf.function(reduce_retracing=True)
def train_step(x, mask, y):
    with tf.GradientTape() as tape:
        loss = gaussian_nll(y, forward(x, mask, True)) + L2 * tf.reduce_sum(tf.square(V["wh"]))
    names = list(V)
    grads, _ = tf.clip_by_global_norm(tape.gradient(loss, [V[k] for k in names]), CLIP)
    count.assign_add(1.0)
    rate = LR * tf.sqrt(1.0 - B2 ** count) / (1.0 - B1 ** count)
    for k, g in zip(names, grads):
        first[k].assign(B1 * first[k] + (1.0 - B1) * g)
        second[k].assign(B2 * second[k] + (1.0 - B2) * g * g)
        V[k].assign_sub(rate * first[k] / (tf.sqrt(second[k]) + EPS))
    return loss


# ---- training
for epoch in range(EPOCHS):
    order = rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        i = order[start:start + BATCH]
        total += float(train_step(tf.constant(x_train[i]), tf.constant(m_train[i]), tf.constant(y_train[i]))) * len(i)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} loss {total / len(order):.4f}")
out = forward(tf.constant(x_test), tf.constant(m_test), False).numpy()
print("test nll %.4f rmse %.4f" % (
    np.mean(0.5 * (out[:, 1:] + (y_test - out[:, :1]) ** 2 * np.exp(-out[:, 1:]))),
    np.sqrt(np.mean((y_test - out[:, :1]) ** 2))))
