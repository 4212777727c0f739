"""Bags of tokens of different length, three classes; every formula written with TensorFlow ops."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import math
import numpy as np
import tensorflow as tf

VOCAB, LEN, DIM, CLASSES = 60, 14, 24, 3
EPOCHS, BATCH = 8, 30
PEAK, WARMUP, DECAY = 0.8, 40, 1e-3
CLASS_WEIGHT = tf.constant([0.6, 1.2, 2.5])


def make_data(n, rng):
    topics = np.random.default_rng(77).dirichlet(np.full(VOCAB, 0.4), size=CLASSES)
    y = rng.choice(CLASSES, size=n, p=[0.55, 0.3, 0.15])
    length = rng.integers(4, LEN + 1, size=n)
    x = np.zeros((n, LEN), "int64")                 # 0 is padding
    for i in range(n):
        x[i, :length[i]] = 1 + rng.choice(VOCAB, size=length[i], p=0.5 * topics[y[i]] + 0.5 / VOCAB)
    return x, y.astype("int64")


rng = np.random.default_rng(31)
x_train, y_train = make_data(1510, rng)
x_test, y_test = make_data(800, rng)

tf.random.set_seed(90)
table = tf.random.normal((VOCAB + 1, DIM), 0.0, 0.1).numpy()
table[0] = 0.0                                       # the padding row
bound = math.sqrt(6.0 / (DIM + CLASSES))
table = tf.Variable(table)
gamma = tf.Variable(tf.ones(DIM))
beta = tf.Variable(tf.zeros(DIM))
W = tf.Variable(tf.random.uniform((DIM, CLASSES), -bound, bound))
b = tf.Variable(tf.zeros(CLASSES))
variables = [table, gamma, beta, W, b]


def forward(ids):
    mask = tf.cast(ids != 0, tf.float32)[:, :, None]
    vectors = tf.gather(table, ids)
    h = tf.reduce_sum(vectors, axis=1) / tf.reduce_sum(mask, axis=1)
    mu = tf.reduce_mean(h, axis=1, keepdims=True)
    var = tf.reduce_mean(tf.square(h - mu), axis=1, keepdims=True)
    h = (h - mu) / tf.sqrt(var + 1e-5) * gamma + beta
    return tf.matmul(h, W) + b


def weighted_loss(logits, y):
    nll = -tf.gather(tf.nn.log_softmax(logits), y, axis=1, batch_dims=1)
    w = tf.gather(CLASS_WEIGHT, y)
    return tf.reduce_sum(w * nll) / tf.reduce_sum(w)


@tf.function(reduce_retracing=True)
def train_step(ids, y, lr):
    with tf.GradientTape() as tape:
        loss = weighted_loss(forward(ids), y)
    for v, g in zip(variables, tape.gradient(loss, variables)):
        v.assign_sub(lr * (tf.convert_to_tensor(g) + DECAY * v))
    return loss


def rate(t, steps):
    if t < WARMUP:
        return PEAK * (t + 1) / WARMUP
    return PEAK * 0.5 * (1 + math.cos(math.pi * (t - WARMUP) / (steps - WARMUP)))


# training
shuffle_rng = np.random.default_rng(90)
steps = EPOCHS * math.ceil(len(x_train) / BATCH)
t = 0
for epoch in range(1, EPOCHS + 1):
    order = shuffle_rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        loss = train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]),
                          tf.constant(rate(t, steps), tf.float32))
        t += 1
        total += float(loss) * len(idx)
    print(f"epoch {epoch:2d}  train loss {total / len(x_train):.4f}")

logits = forward(tf.constant(x_test))
test_loss = float(weighted_loss(logits, tf.constant(y_test)))
acc = float((logits.numpy().argmax(1) == y_test).mean())
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
