"""ListNet ranker in plain TensorFlow: variables, a GradientTape, padded lists."""
import math
import numpy as np
import tensorflow as tf

DOCS, FEATS = 12, 18
QUERIES, BATCH, EPOCHS = 720, 24, 10
LR, ACC0 = 0.05, 0.1


def make_queries(n, seed):
    """Queries with 5 to 12 documents each, graded 0..3; rows past the list's end are padding."""
    r = np.random.default_rng(seed)
    w = np.random.default_rng(1).normal(size=(2, FEATS))
    x = r.normal(size=(n, DOCS, FEATS)) + 0.5 * r.normal(size=(n, 1, FEATS))
    length = r.integers(5, DOCS + 1, n)
    mask = np.arange(DOCS)[None] < length[:, None]
    s = np.tanh(x @ w[0] * 0.4) + 0.5 * np.sin(x @ w[1] * 0.4) + 0.2 * r.normal(size=(n, DOCS))
    grade = np.digitize(s, [-0.3, 0.4, 0.9]).astype("float64")
    x[~mask] = 0.0
    grade[~mask] = 0.0
    return x.astype("float32"), grade.astype("float32"), mask.astype("float32")


def ndcg(score, grade, mask, k=5):
    total = 0.0
    for s, g, m in zip(score, grade, mask > 0):
        s, g = s[m], g[m]
        d = 1.0 / np.log2(np.arange(len(g)) + 2)
        gain = (2.0 ** g[np.argsort(-s, kind="stable")] - 1)[:k] @ d[:k]
        best = (2.0 ** np.sort(g)[::-1] - 1)[:k] @ d[:k]
        total += gain / best if best > 0 else 1.0
    return total / len(score)


x_tr, g_tr, m_tr = make_queries(QUERIES, 100)
x_te, g_te, m_te = make_queries(240, 101)

tf.random.set_seed(7)


def kernel(n_in, n_out, name):
    return tf.Variable(tf.random.normal((n_in, n_out), stddev=math.sqrt(2.0 / (n_in + n_out))), name=name)


W1, b1 = kernel(FEATS, 32, "W1"), tf.Variable(tf.zeros(32), name="b1")
W2, b2 = kernel(32, 16, "W2"), tf.Variable(tf.zeros(16), name="b2")
W3 = kernel(16, 1, "W3")
params = [W1, b1, W2, b2, W3]


def score_docs(x):
    h = tf.nn.softplus(tf.einsum("qdf,fh->qdh", x, W1) + b1)
    h = tf.nn.softplus(tf.einsum("qdf,fh->qdh", h, W2) + b2)
    return tf.einsum("qdf,fh->qdh", h, W3)[:, :, 0]


def listnet(score, grade, mask):
    far = (1.0 - mask) * 1e9
    target = tf.nn.softmax(grade - far, axis=1)
    logp = tf.nn.log_softmax(score - far, axis=1)
    return tf.reduce_mean(-tf.reduce_sum(target * logp * mask, axis=1))


opt = tf.keras.optimizers.Adagrad(learning_rate=LR, initial_accumulator_value=ACC0, epsilon=1e-20)
opt.build(params)


@tf.function
def step(x, g, m):
    with tf.GradientTape() as tape:
        loss = listnet(score_docs(x), g, m)
    opt.apply(tape.gradient(loss, params), params)
    return loss


rng = np.random.default_rng(7)
for epoch in range(EPOCHS):
    order = rng.permutation(QUERIES)
    running = 0.0
    for lo in range(0, QUERIES, BATCH):
        b = order[lo:lo + BATCH]
        running += float(step(x_tr[b], g_tr[b], m_tr[b])) * len(b)
    print(f"epoch {epoch + 1:2d}  listnet {running / QUERIES:.4f}")

s = score_docs(x_te)
print(f"test listnet {float(listnet(s, g_te, m_te)):.4f}  ndcg@5 {ndcg(s.numpy(), g_te, m_te):.4f}")
