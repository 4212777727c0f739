import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.random.set_seed(61)

X, y = load_digits(return_X_y=True)
perm = np.random.RandomState(12).permutation(len(X))
X, y = (X[perm] / 16.0).astype(np.float32), y[perm].astype(np.int64)
xt, yt, xv, yv = X[:1440], y[:1440], X[1440:], y[1440:]


def dense(n_in, n_out):
    limit = (6.0 / (n_in + n_out)) ** 0.5
    return tf.Variable(tf.random.uniform((n_in, n_out), -limit, limit)), tf.Variable(tf.zeros(n_out))


w1, b1 = dense(64, 96)
w2, b2 = dense(96, 48)
w3, b3 = dense(48, 10)
variables = [w1, b1, w2, b2, w3, b3]
velocity = [tf.Variable(tf.zeros_like(v)) for v in variables]


def dropout(h, rate):
    keep = tf.random.uniform(tf.shape(h)) >= rate
    return h * tf.cast(keep, h.dtype)


def network(x, training):
    h = tf.nn.relu(x @ w1 + b1)
    if training:
        h = dropout(h, 0.5)
    h = tf.nn.relu(h @ w2 + b2)
    if training:
        h = dropout(h, 0.5)
    return h @ w3 + b3


def cross_entropy(labels, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


@tf.function
def train_step(xb, yb, lr=0.05, mu=0.9):
    with tf.GradientTape() as tape:
        loss = cross_entropy(yb, network(xb, training=True))
    for var, vel, g in zip(variables, velocity, tape.gradient(loss, variables)):
        vel.assign(mu * vel + g)
        var.assign_sub(lr * vel)


batches = tf.data.Dataset.from_tensor_slices((xt, yt)).shuffle(1440).batch(60)
for epoch in range(16):
    for xb, yb in batches:
        train_step(xb, yb)

logits = network(tf.constant(xv), training=False)
acc = np.mean(np.argmax(logits, axis=1) == yv)
print("val loss %.4f  val acc %.4f" % (float(cross_entropy(yv, logits)), acc))
