"""Tagging of padded token sequences in plain TensorFlow: the masks, the decay and the SGD step are explicit."""
import math

import numpy as np
import tensorflow as tf

tf.random.set_seed(21)
VOCAB, TAGS, MAXLEN = 40, 4, 16


def corpus(n, seed):
    rng = np.random.default_rng(seed)
    tokens = np.zeros((n, MAXLEN), np.int64)          # 0 is padding
    tags = np.full((n, MAXLEN), -100, np.int64)
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        s = rng.integers(1, VOCAB, length)
        before = np.concatenate([[1], s[:-1]])
        g = 2 * (s % 2) + (before > VOCAB // 2)
        noisy = rng.random(length) < 0.03
        g = np.where(noisy, rng.integers(0, TAGS, length), g)
        tokens[i, :length] = s
        tags[i, :length] = g
    return tokens, tags


train_tok, train_tag = corpus(800, 0)
test_tok, test_tag = corpus(300, 1)


def glorot(shape, fan_in, fan_out):
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    return tf.Variable(tf.random.uniform(shape, -limit, limit))


table = tf.Variable(tf.concat([tf.zeros((1, 16)), tf.random.normal((VOCAB - 1, 16), stddev=0.5)], axis=0))
conv_w = glorot((3, 16, 32), 3 * 16, 3 * 32)
conv_b = tf.Variable(tf.zeros(32))
out_w = glorot((32, TAGS), 32, TAGS)
out_b = tf.Variable(tf.zeros(TAGS))
weights = [table, conv_w, conv_b, out_w, out_b]


def forward(tok):
    real = tf.cast(tok > 0, tf.float32)[..., None]
    e = tf.gather(table, tok) * real                   # padded places: zero vector, no gradient
    h = tf.tanh(tf.nn.conv1d(e, conv_w, stride=1, padding="SAME") + conv_b)
    return tf.tensordot(h, out_w, axes=1) + out_b


def masked_loss(tok, tag):
    mask = tf.cast(tag >= 0, tf.float32)
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.maximum(tag, 0), logits=forward(tok))
    return tf.reduce_sum(each * mask) / tf.reduce_sum(mask)


@tf.function
def step(tok, tag, lr):
    with tf.GradientTape() as tape:
        loss = masked_loss(tok, tag)
    for w, g in zip(weights, tape.gradient(loss, weights)):
        w.assign_sub(lr * tf.convert_to_tensor(g))
    return loss


# training
rng = np.random.default_rng(21)
for epoch in range(25):
    lr = tf.constant(0.5 * 0.95 ** epoch, tf.float32)
    perm = rng.permutation(len(train_tok))
    seen, batches = 0.0, 0
    for i in range(0, len(perm), 40):
        idx = perm[i:i + 40]
        seen += float(step(tf.constant(train_tok[idx]), tf.constant(train_tag[idx]), lr))
        batches += 1
    print(f"epoch {epoch + 1:2d} loss {seen / batches:.4f}")

guess = forward(tf.constant(test_tok)).numpy().argmax(-1)
valid = test_tag != -100
acc = np.mean(guess[valid] == test_tag[valid])
print(f"test loss {float(masked_loss(tf.constant(test_tok), tf.constant(test_tag))):.4f} token accuracy {acc:.4f}")
