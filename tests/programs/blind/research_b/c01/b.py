"""Variational graph auto-encoder on a stochastic block model (TensorFlow, raw variables)."""
import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

N, BLOCKS, FEATS = 150, 3, 18
HIDDEN, LATENT = 32, 8
STEPS, LR = 200, 0.01


def make_graph():
    rng = np.random.default_rng(7)
    block = np.repeat(np.arange(BLOCKS), N // BLOCKS)
    prob = np.where(block[:, None] == block[None, :], 0.22, 0.015)
    upper = np.triu(rng.random((N, N)) < prob, k=1)
    edges = np.argwhere(upper)
    rng.shuffle(edges)
    held_out, kept = edges[:120], edges[120:]
    adj = np.zeros((N, N), dtype=np.float32)
    adj[kept[:, 0], kept[:, 1]] = 1.0
    adj = adj + adj.T
    non_edges = np.argwhere(np.triu(~upper, k=1))
    negatives = non_edges[rng.choice(len(non_edges), size=120, replace=False)]
    centers = rng.normal(size=(BLOCKS, FEATS))
    feats = (0.5 * centers[block] + rng.normal(size=(N, FEATS))).astype(np.float32)
    return adj, feats, held_out, negatives


def normalise(adj):
    a = adj + np.eye(len(adj), dtype=np.float32)
    d = 1.0 / np.sqrt(a.sum(1))
    return (a * d[:, None] * d[None, :]).astype(np.float32)


tf.random.set_seed(5)


def glorot(n_in, n_out, name):
    bound = np.sqrt(6.0 / (n_in + n_out))
    return tf.Variable(tf.random.uniform((n_in, n_out), -bound, bound), name=name)


w_base = glorot(FEATS, HIDDEN, "w_base")
w_mean = glorot(HIDDEN, LATENT, "w_mean")
w_logstd = glorot(HIDDEN, LATENT, "w_logstd")
weights = [w_base, w_mean, w_logstd]

adj, feats, pos_edges, neg_edges = make_graph()
a_hat = tf.constant(normalise(adj))
x = tf.constant(feats)
target = tf.constant(adj + np.eye(N, dtype=np.float32))
n_pos = float(tf.reduce_sum(target))
pos_weight = (N * N - n_pos) / n_pos
norm = N * N / (2.0 * (N * N - n_pos))

optimizer = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


def encode():
    h = tf.nn.relu(tf.matmul(a_hat, tf.matmul(x, w_base)))
    mean = tf.matmul(a_hat, tf.matmul(h, w_mean))
    logstd = tf.matmul(a_hat, tf.matmul(h, w_logstd))
    return mean, logstd


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        mean, logstd = encode()
        z = mean + tf.random.normal(tf.shape(mean)) * tf.exp(logstd)
        logits = tf.matmul(z, z, transpose_b=True)
        rec = norm * tf.reduce_mean(
            tf.nn.weighted_cross_entropy_with_logits(labels=target, logits=logits, pos_weight=pos_weight)
        )
        kl_per_node = -0.5 * tf.reduce_sum(
            1.0 + 2.0 * logstd - tf.square(mean) - tf.exp(2.0 * logstd), axis=1
        )
        kl = tf.reduce_mean(kl_per_node)
        loss = rec + kl / N
    grads = tape.gradient(loss, weights)
    optimizer.apply_gradients(zip(grads, weights))
    return loss, rec, kl


for step in range(1, STEPS + 1):
    loss, rec, kl = train_step()
    if step % 40 == 0 or step == 1:
        print(f"step {step:4d}  loss {float(loss):.4f}  rec {float(rec):.4f}  kl {float(kl):.4f}")

mean, _ = encode()
scores = tf.matmul(mean, mean, transpose_b=True).numpy()
y = np.r_[np.ones(len(pos_edges)), np.zeros(len(neg_edges))]
s = np.r_[scores[pos_edges[:, 0], pos_edges[:, 1]], scores[neg_edges[:, 0], neg_edges[:, 1]]]
print(f"held-out link AUC {roc_auc_score(y, s):.4f}")
