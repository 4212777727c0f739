"""Graph convolutions on a stochastic block model, dense adjacency (bare TensorFlow).

Few labelled nodes; link prediction on the hidden embedding is a second task.
Weights are tf.Variables in a dict, RMSprop is written out.
"""
import math

import numpy as np
import tensorflow as tf

tf.random.set_seed(700)

N, CLASSES, FEATS, HIDDEN = 180, 3, 12, 16
STEPS, LR, L2, LINK, DROP, PAIRS = 200, 5e-3, 5e-4, 0.3, 0.4, 200
RHO, EPS = 0.9, 1e-7


def block_model():
    rng = np.random.default_rng(31)
    y = np.repeat(np.arange(CLASSES), N // CLASSES)
    p = np.where(y[:, None] == y[None], 0.12, 0.02)
    upper = np.triu(rng.uniform(size=(N, N)) < p, 1)
    adj = (upper + upper.T).astype("float32")
    feats = rng.normal(size=(N, FEATS)) + 0.6 * rng.normal(size=(CLASSES, FEATS))[y]
    labelled = np.zeros(N, "float32")
    for c in range(CLASSES):
        labelled[rng.choice(np.flatnonzero(y == c), 8, replace=False)] = 1
    edges = np.argwhere(upper).astype("int32")
    return adj, feats.astype("float32"), y.astype("int32"), labelled, edges


adj, feats, y, labelled, edges = block_model()
a_loop = adj + np.eye(N, dtype="float32")
degree = a_loop.sum(1)
a_hat = tf.constant((a_loop / np.sqrt(np.outer(degree, degree))).astype("float32"))
train_idx = np.flatnonzero(labelled)


def glorot(n, m):
    lim = math.sqrt(6.0 / (n + m))
    return tf.Variable(tf.random.uniform([n, m], -lim, lim))


W = {"k1": glorot(FEATS, HIDDEN), "b1": tf.Variable(tf.zeros([HIDDEN])),
     "k2": glorot(HIDDEN, CLASSES), "b2": tf.Variable(tf.zeros([CLASSES]))}
sq = {k: tf.Variable(tf.zeros_like(v)) for k, v in W.items()}


def forward(x, drop):
    x = tf.nn.dropout(x, rate=drop) if drop else x
    h = tf.nn.elu(a_hat @ (x @ W["k1"]) + W["b1"])
    z = tf.nn.dropout(h, rate=drop) if drop else h
    return h, a_hat @ (z @ W["k2"]) + W["b2"]


def objective(x, pairs, linked, drop=DROP):
    h, logits = forward(x, drop)
    node = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=y[train_idx], logits=tf.gather(logits, train_idx)))
    ends = tf.gather(h, pairs)
    score = tf.reduce_sum(ends[:, 0] * ends[:, 1], axis=-1)
    link = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=linked, logits=score))
    return node + LINK * link + L2 * tf.reduce_sum(tf.square(W["k1"]))


@tf.function
def train_step(x, pairs, linked):
    with tf.GradientTape() as tape:
        loss = objective(x, pairs, linked)
    grads = tape.gradient(loss, W)
    for k, w in W.items():
        sq[k].assign(RHO * sq[k] + (1.0 - RHO) * tf.square(grads[k]))
        w.assign_sub(LR * grads[k] / tf.sqrt(sq[k] + EPS))
    return loss


draw = np.random.default_rng(58)
linked = tf.constant(np.repeat([1.0, 0.0], PAIRS).astype("float32"))

# ---- training
for step in range(STEPS):
    pos = edges[draw.integers(0, len(edges), PAIRS)]
    neg = draw.integers(0, N, (PAIRS, 2)).astype("int32")
    loss = train_step(tf.constant(feats), tf.constant(np.concatenate([pos, neg])), linked)
    if step % 40 == 0 or step == STEPS - 1:
        guess = forward(tf.constant(feats), 0.0)[1].numpy().argmax(1)
        acc = np.mean((guess == y)[labelled == 0])
        print(f"step {step} loss {float(loss):.4f} accuracy on unlabelled nodes {acc:.3f}")
