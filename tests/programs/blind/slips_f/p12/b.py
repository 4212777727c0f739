"""Handwritten digits with plain TensorFlow variables: Nesterov momentum and the L2 term by hand."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.random.set_seed(8)
rng = np.random.default_rng(8)

digits = load_digits()
X = (digits.data / 16.0).astype(np.float32)
y = digits.target
order = np.random.default_rng(0).permutation(len(X))
train, test = order[:1400], order[1400:]
x_train, y_train = X[train], y[train].astype(np.int32)

SIZES = [64, 40, 20, 10]
LR, MU, ALPHA, BATCH, EPOCHS = 0.3, 0.9, 0.02, 64, 20

weights, biases = [], []
for n_in, n_out in zip(SIZES[:-1], SIZES[1:]):
    r = np.sqrt(2.0 / (n_in + n_out))
    weights.append(tf.Variable(tf.random.uniform((n_in, n_out), -r, r)))
    biases.append(tf.Variable(tf.random.uniform((n_out,), -r, r)))
params = weights + biases
velocity = [tf.Variable(tf.zeros_like(p)) for p in params]


def logits_of(x):
    for w, b in zip(weights[:-1], biases[:-1]):
        x = tf.sigmoid(x @ w + b)
    return x @ weights[-1] + biases[-1]


@tf.function(reduce_retracing=True)
def step(xb, yb):
    n = tf.cast(tf.shape(xb)[0], tf.float32)
    with tf.GradientTape() as tape:
        z = logits_of(xb)
        nll = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=yb, logits=z)) / n
        penalty = sum(tf.reduce_sum(tf.square(w)) for w in weights)
        loss = nll + 0.5 * ALPHA * penalty
    for p, v, g in zip(params, velocity, tape.gradient(loss, params)):
        v.assign(MU * v - LR * g)
        p.assign_add(MU * v - LR * g)


for epoch in range(EPOCHS):
    perm = rng.permutation(len(x_train))
    for start in range(0, len(perm), BATCH):
        idx = perm[start:start + BATCH]
        step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))

for name, part in (("train", train), ("test", test)):
    p = tf.nn.softmax(logits_of(tf.constant(X[part]))).numpy()
    nll = -np.log(p[np.arange(len(part)), y[part]]).mean()
    acc = (p.argmax(1) == y[part]).mean()
    print(f"{name}: log loss {nll:.4f} accuracy {acc:.4f}")
