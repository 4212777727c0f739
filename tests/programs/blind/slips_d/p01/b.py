"""Learning to rank with pairwise logistic loss (RankNet): plain TensorFlow variables and GradientTape."""
import numpy as np
import tensorflow as tf
import keras


N_FEAT, DOCS = 14, 8


def make_queries(n, seed):
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(77)
    w = truth.randn(N_FEAT) * 0.6
    x = rng.randn(n, DOCS, N_FEAT)
    u = x @ w + 0.8 * np.abs(x[:, :, 0]) - 0.7 * x[:, :, 1] * x[:, :, 2] + 0.4 * rng.randn(n, DOCS)
    rel = np.digitize(u, [-0.5, 1.0, 2.5]).astype("float32")        # grades 0..3
    return x.astype("float32"), rel


def ndcg_at(scores, rel, k=4):
    disc = 1 / np.log2(np.arange(2, k + 2))
    vals = []
    for s, r in zip(scores, rel):
        gain = 2.0 ** r - 1
        best = (np.sort(gain)[::-1][:k] * disc).sum()
        if best > 0:
            vals.append((gain[np.argsort(-s)][:k] * disc).sum() / best)
    return float(np.mean(vals))


x_tr, r_tr = make_queries(720, 20)
x_te, r_te = make_queries(300, 21)
BATCH, EPOCHS, LR = 32, 12, 0.003

tf.random.set_seed(0)
rng = np.random.RandomState(0)


def glorot(n_in, n_out):
    bound = np.sqrt(6.0 / (n_in + n_out))
    return tf.Variable(tf.random.uniform((n_in, n_out), -bound, bound))


W1, b1 = glorot(N_FEAT, 32), tf.Variable(tf.zeros(32))
W2, b2 = glorot(32, 16), tf.Variable(tf.zeros(16))
W3 = glorot(16, 1)
params = [W1, b1, W2, b2, W3]


def score(x):
    flat = tf.reshape(x, (-1, N_FEAT))
    h = tf.nn.silu(flat @ W1 + b1)
    h = tf.nn.silu(h @ W2 + b2)
    return tf.reshape(h @ W3, (-1, DOCS))


def ranknet(s, rel):
    diff = s[:, :, None] - s[:, None, :]
    better = tf.cast(rel[:, :, None] > rel[:, None, :], tf.float32)
    return tf.reduce_sum(tf.nn.softplus(-diff) * better) / tf.reduce_sum(better)


optimizer = keras.optimizers.Adam(beta_1=0.9, beta_2=0.99, epsilon=1e-12)
optimizer.build(params)


@tf.function(reduce_retracing=True)
def step(x, rel):
    with tf.GradientTape() as tape:
        loss = ranknet(score(x), rel)
    optimizer.apply_gradients(zip(tape.gradient(loss, params), params))
    return loss


# training
for epoch in range(EPOCHS):
    order = rng.permutation(len(x_tr))
    total = 0.0
    for i in range(0, len(order), BATCH):
        idx = order[i:i + BATCH]
        total += float(step(tf.constant(x_tr[idx]), tf.constant(r_tr[idx]))) * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(x_tr):.4f}")

s_te = score(tf.constant(x_te))
print(f"test loss {float(ranknet(s_te, tf.constant(r_te))):.4f}  ndcg@4 {ndcg_at(s_te.numpy(), r_te):.4f}")
