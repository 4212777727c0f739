"""Bag-of-words detector for a rare topic: masked mean and weighted loss by hand (TensorFlow)."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(9)

VOCAB, MAXLEN, DIM = 150, 18, 16


def documents(n, seed):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.25).astype(np.float32)
    tokens = np.zeros((n, MAXLEN), dtype=np.int64)
    for i in range(n):
        length = rng.integers(5, MAXLEN + 1)
        words = rng.integers(1, VOCAB, size=length)
        if labels[i]:
            topical = rng.random(length) < 0.35
            words[topical] = rng.integers(1, 20, size=topical.sum())
        tokens[i, :length] = words
    return tokens, labels


train_ids, train_y = documents(1000, 61)
test_ids, test_y = documents(500, 62)


def normal_kernel(n_in, n_out):
    return tf.Variable(tf.random.normal((n_in, n_out), stddev=(2.0 / (n_in + n_out)) ** 0.5))


table = tf.random.normal((VOCAB, DIM), stddev=0.5)
table = tf.Variable(tf.concat([tf.zeros((1, DIM)), table[1:]], axis=0))  # row 0 is padding
w1, b1 = normal_kernel(DIM, 16), tf.Variable(tf.zeros(16))
w2, b2 = normal_kernel(16, 1), tf.Variable(tf.zeros(1))
variables = [table, w1, b1, w2, b2]


def forward(ids):
    mask = tf.cast(tf.not_equal(ids, 0), tf.float32)[:, :, None]
    vectors = tf.gather(table, ids) * mask
    mean = tf.reduce_sum(vectors, axis=1) / tf.reduce_sum(mask, axis=1)
    h = tf.nn.relu(mean @ w1 + b1)
    return tf.squeeze(h @ w2 + b2, axis=1)


def weighted_bce(z, y, pos_weight=3.0):
    # -[ w*y*log(sigmoid(z)) + (1-y)*log(1-sigmoid(z)) ]
    return tf.reduce_mean(pos_weight * y * tf.nn.softplus(-z) + (1.0 - y) * tf.nn.softplus(z))


@tf.function
def sgd_step(ids, y, lr):
    with tf.GradientTape() as tape:
        loss = weighted_bce(forward(ids), y)
    for v, g in zip(variables, tape.gradient(loss, variables)):
        v.assign_sub(lr * tf.convert_to_tensor(g))
    return loss


data = tf.data.Dataset.from_tensor_slices((train_ids, train_y))
data = data.shuffle(len(train_ids), seed=9, reshuffle_each_iteration=True).batch(48)

# ---- training
for epoch in range(20):
    lr = tf.constant(0.5 * 0.95 ** epoch, tf.float32)
    for ids, y in data:
        sgd_step(ids, y, lr)

for name, ids, y in (("train", train_ids, train_y), ("test", test_ids, test_y)):
    z = forward(tf.constant(ids))
    accuracy = np.mean((z.numpy() > 0) == (y > 0.5))
    print(f"{name} loss {float(weighted_bce(z, y)):.4f} accuracy {accuracy:.4f}")
