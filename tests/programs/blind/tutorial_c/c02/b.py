"""Bag-of-embeddings sentiment classifier, trained with a hand-written loop in TensorFlow."""
import numpy as np
import tensorflow as tf

VOCAB, MAXLEN, DIM, HIDDEN = 400, 30, 24, 16
BATCH, EPOCHS, DROP = 50, 12, 0.2


def make_reviews(n, rng):
    """0 is padding; words 1..40 please, 41..80 annoy, the others are neutral."""
    ids = np.zeros((n, MAXLEN), dtype=np.int32)
    label = rng.integers(0, 2, n)
    for i in range(n):
        length = rng.integers(8, MAXLEN + 1)
        words = rng.integers(81, VOCAB, length)
        mood = rng.random(length) < 0.35
        liked = rng.random(length) < (0.72 if label[i] else 0.28)
        loaded = np.where(liked, rng.integers(1, 41, length), rng.integers(41, 81, length))
        ids[i, :length] = np.where(mood, loaded, words)
    return ids, label.astype(np.float32)


rng = np.random.default_rng(2024)
x_train, y_train = make_reviews(2000, rng)
x_test, y_test = make_reviews(600, rng)

tf.random.set_seed(90)


def glorot(n_in, n_out):
    bound = (6.0 / (n_in + n_out)) ** 0.5
    return tf.random.uniform((n_in, n_out), -bound, bound)


table = tf.Variable(tf.random.uniform((VOCAB, DIM), -0.05, 0.05))
w1, b1 = tf.Variable(glorot(DIM, HIDDEN)), tf.Variable(tf.zeros(HIDDEN))
w2, b2 = tf.Variable(glorot(HIDDEN, 1)), tf.Variable(tf.zeros(1))
weights = [table, w1, b1, w2, b2]


def network(ids, training):
    real = tf.cast(ids != 0, tf.float32)[:, :, None]
    words = tf.nn.embedding_lookup(table, ids)
    mean = tf.reduce_sum(words * real, axis=1) / tf.reduce_sum(real, axis=1)
    if training:
        mean = tf.nn.dropout(mean, rate=DROP)
    hidden = tf.tanh(mean @ w1 + b1)
    return tf.squeeze(hidden @ w2 + b2, axis=1)


def bce(labels, logits):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


@tf.function
def train_step(ids, labels, lr):
    with tf.GradientTape() as tape:
        loss = bce(labels, network(ids, training=True))
    for w, g in zip(weights, tape.gradient(loss, weights)):
        w.assign_sub(lr * tf.convert_to_tensor(g))
    return loss


batches = (tf.data.Dataset.from_tensor_slices((x_train, y_train))
           .shuffle(len(x_train), reshuffle_each_iteration=True).batch(BATCH))
for epoch in range(EPOCHS):
    lr = tf.constant(1.5 * 0.5 ** (epoch // 4), tf.float32)
    total = 0.0
    for ids, labels in batches:
        total += float(train_step(ids, labels, lr)) * len(ids)
    logits = network(x_test, training=False)
    acc = np.mean((logits.numpy() > 0) == (y_test > 0.5))
    print(f"epoch {epoch + 1}: lr {float(lr):.4f} loss {total / len(x_train):.4f} "
          f"val_loss {float(bce(y_test, logits)):.4f} val_acc {acc:.4f}")
