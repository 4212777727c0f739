"""Masked-token model with tied input and output table, nothing but TensorFlow variables."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

tf.random.set_seed(1234)

V, L, D, H = 12, 10, 32, 4
K = D // H
P_HIDE, EPOCHS, BATCH = 0.2, 15, 64
LR, ACC0, EPS, CLIP = 0.08, 0.1, 1e-7, 1.0

rng = np.random.default_rng(55)
first = rng.integers(0, V, (2500, 1))
jump = rng.choice([1, 2, 3, 5], (2500, 1))
seqs = ((first + jump * np.arange(L)) % V).astype("int32")
train, test = seqs[:2000], seqs[2000:]
hidden_test = (rng.random((500, L)) < P_HIDE).astype("float32")


def gauss(shape, std):
    return tf.Variable(tf.random.normal(shape, stddev=std))


def box(shape, lim):
    return tf.Variable(tf.random.uniform(shape, -lim, lim))


p = {
    "table": gauss((V + 1, D), 0.2),
    "place": gauss((L, D), 0.2),
    "q": gauss((D, H, K), D**-0.5),
    "k": gauss((D, H, K), D**-0.5),
    "v": gauss((D, H, K), D**-0.5),
    "o": gauss((H, K, D), D**-0.5),
    "up": box((D, 64), (6.0 / D) ** 0.5),
    "up_b": tf.Variable(tf.zeros(64)),
    "down": box((64, D), (6.0 / (64 + D)) ** 0.5),
    "down_b": tf.Variable(tf.zeros(D)),
}
acc = {n: tf.Variable(tf.fill(w.shape, ACC0)) for n, w in p.items()}


def forward(tokens):
    h = tf.einsum("blv,vd->bld", tf.one_hot(tokens, V + 1), p["table"]) + p["place"]
    q, k, v = (tf.einsum("bld,dhk->blhk", h, p[n]) for n in "qkv")
    w = tf.nn.softmax(tf.einsum("bihk,bjhk->bhij", q, k) / K**0.5)
    h += tf.einsum("bhij,bjhk,hkd->bid", w, v, p["o"])
    h += tf.nn.relu(h @ p["up"] + p["up_b"]) @ p["down"] + p["down_b"]
    return tf.einsum("bld,vd->blv", h, p["table"][:V])


def loss_fn(tokens, hidden):
    logits = forward(tf.where(hidden, V, tokens))
    nll = -tf.gather(tf.nn.log_softmax(logits), tokens, batch_dims=2)
    hidden = tf.cast(hidden, tf.float32)
    return tf.reduce_sum(nll * hidden) / tf.maximum(tf.reduce_sum(hidden), 1.0), logits


@tf.function(reduce_retracing=True)
def step(tokens):
    hidden = tf.random.uniform(tf.shape(tokens)) < P_HIDE
    with tf.GradientTape() as tape:
        loss, _ = loss_fn(tokens, hidden)
    names = list(p)
    grads, _ = tf.clip_by_global_norm(tape.gradient(loss, [p[n] for n in names]), CLIP)
    for n, g in zip(names, grads):
        acc[n].assign_add(g * g)
        p[n].assign_sub(LR * g / tf.sqrt(acc[n] + EPS))
    return loss


ds = tf.data.Dataset.from_tensor_slices(train)
ds = ds.shuffle(len(train), reshuffle_each_iteration=True).batch(BATCH, drop_remainder=False)
for e in range(EPOCHS):
    losses = [float(step(tokens)) for tokens in ds]
    if e % 3 == 2:
        print(f"epoch {e + 1}: loss {np.mean(losses):.4f}")

loss, logits = loss_fn(tf.constant(test), tf.constant(hidden_test > 0))
right = (np.argmax(logits, axis=-1) == test) * hidden_test
print(f"test loss {float(loss):.4f}, hidden tokens found {right.sum() / hidden_test.sum():.4f}")
