"""Two-layer GCN in bare TensorFlow: variables in a list, Adam by hand."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(1002)

rng = np.random.default_rng(17)
N, C, F = 240, 4, 40
label = rng.integers(0, C, size=N)
same = label[:, None] == label[None, :]
upper = np.triu(rng.random((N, N)) < np.where(same, 0.06, 0.012), 1)
adj = (upper | upper.T).astype(np.float64) + np.eye(N)
deg = adj.sum(1)
a_hat = tf.constant((adj / np.sqrt(deg[:, None] * deg[None, :])).astype(np.float32))
feats = (rng.random((N, F)) < np.where(np.arange(F)[None, :] % C == label[:, None], 0.22, 0.12)).astype(np.float32)
train_ids = np.sort(np.concatenate([np.where(label == c)[0][:12] for c in range(C)]))
test_ids = np.setdiff1d(np.arange(N), train_ids)

HIDDEN = 16
LR, B1, B2, EPS = 0.01, 0.9, 0.999, 1e-8
L2 = 2e-3          # with tf.nn.l2_loss, which halves


def uniform_glorot(shape):
    limit = np.sqrt(6.0 / sum(shape))
    return tf.Variable(tf.random.uniform(shape, -limit, limit))


w1, b1 = uniform_glorot((F, HIDDEN)), tf.Variable(tf.zeros(HIDDEN))
w2, b2 = uniform_glorot((HIDDEN, C)), tf.Variable(tf.zeros(C))
params = [w1, b1, w2, b2]
first = [tf.Variable(tf.zeros_like(v)) for v in params]
second = [tf.Variable(tf.zeros_like(v)) for v in params]


def network(x, dropout):
    if dropout:
        x = tf.nn.dropout(x, rate=0.3)
    h = tf.nn.relu(a_hat @ (x @ w1) + b1)
    if dropout:
        h = tf.nn.dropout(h, rate=0.5)
    return a_hat @ (h @ w2) + b2


@tf.function
def train_step(t):
    with tf.GradientTape() as tape:
        logits = tf.gather(network(feats, dropout=True), train_ids)
        ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=label[train_ids], logits=logits)
        loss = tf.reduce_mean(ce) + L2 * tf.nn.l2_loss(w1)
    rate = LR * tf.sqrt(1.0 - tf.pow(B2, t)) / (1.0 - tf.pow(B1, t))
    for v, m, s, g in zip(params, first, second, tape.gradient(loss, params)):
        m.assign(B1 * m + (1.0 - B1) * g)
        s.assign(B2 * s + (1.0 - B2) * g * g)
        v.assign_sub(rate * m / (tf.sqrt(s) + EPS))
    return loss


def test_accuracy():
    guess = network(feats, dropout=False).numpy().argmax(1)
    return np.mean(guess[test_ids] == label[test_ids])


print("test accuracy before %.3f" % test_accuracy())
for epoch in range(1, 161):
    loss = train_step(tf.constant(float(epoch)))
    if epoch % 40 == 0:
        print("epoch %d loss %.4f test accuracy %.3f" % (epoch, float(loss), test_accuracy()))
