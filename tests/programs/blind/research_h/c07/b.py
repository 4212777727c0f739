"""Two-layer GCN written with raw tf.Variables, a GradientTape and momentum by hand."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(501)

N, CLASSES, FEATS = 300, 3, 16
rng = np.random.default_rng(2024)
y = rng.integers(0, CLASSES, N)
prob = np.where(y[:, None] == y[None, :], 0.06, 0.012)
upper = np.triu(rng.random((N, N)) < prob, 1)
adj = (upper | upper.T).astype("float32") + np.eye(N, dtype="float32")
d = 1.0 / np.sqrt(adj.sum(1))
adj = (d[:, None] * adj * d[None, :]).astype("float32")
centres = rng.normal(size=(CLASSES, FEATS))
x = (0.6 * centres[y] + rng.normal(size=(N, FEATS))).astype("float32")
train = np.zeros(N, bool)
train[rng.permutation(N)[:60]] = True

A = tf.constant(adj)
X = tf.constant(x)
labelled = tf.constant(np.flatnonzero(train))
y_labelled = tf.constant(y[train])


def glorot(n_in, n_out):
    lim = np.sqrt(6.0 / (n_in + n_out))
    return tf.Variable(tf.random.uniform((n_in, n_out), -lim, lim))


HIDDEN, LR, MU, L2 = 24, 0.1, 0.9, 1e-3
W1, b1 = glorot(FEATS, HIDDEN), tf.Variable(tf.zeros(HIDDEN))
W2, b2 = glorot(HIDDEN, CLASSES), tf.Variable(tf.zeros(CLASSES))
params = [W1, b1, W2, b2]
velocity = [tf.Variable(tf.zeros_like(p)) for p in params]


def gcn(features, training):
    h = tf.nn.dropout(features, rate=0.3) if training else features
    h = tf.nn.relu(A @ (h @ W1) + b1)
    if training:
        h = tf.nn.dropout(h, rate=0.5)
    return A @ (h @ W2) + b2


@tf.function
def update():
    with tf.GradientTape() as tape:
        logits = tf.gather(gcn(X, True), labelled)
        ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_labelled, logits=logits)
        loss = tf.reduce_mean(ce) + L2 * tf.reduce_sum(W1 ** 2)
    for p, v, g in zip(params, velocity, tape.gradient(loss, params)):
        v.assign(MU * v - LR * g)
        p.assign_add(v)
    return loss


for it in range(140):
    loss = update()
    if it % 20 == 19:
        print(f"epoch {it + 1:3d}  loss {float(loss):.4f}")

pred = gcn(X, False).numpy().argmax(1)
print("train accuracy %.4f  test accuracy %.4f" % ((pred == y)[train].mean(), (pred == y)[~train].mean()))
