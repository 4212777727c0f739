"""Breast-cancer classifier: tape loop with my own dropout, L2 penalty and class weights."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer

SEED = 17
EPOCHS, BATCH = 25, 32
L2 = 1e-3
WEIGHT = {0: 1.6, 1: 0.8}
P_DROP = (0.3, 0.2)


def load():
    d = load_breast_cancer()
    order = np.random.RandomState(4).permutation(len(d.target))
    x, y = d.data[order], d.target[order].astype(np.float32)
    xtr, xte = x[:455], x[455:]
    mu, sd = xtr.mean(axis=0), xtr.std(axis=0)
    return ((xtr - mu) / sd).astype(np.float32), y[:455], ((xte - mu) / sd).astype(np.float32), y[455:]


tf.random.set_seed(SEED)
rng = np.random.default_rng(SEED)
glorot = keras.initializers.GlorotUniform
sizes = [30, 32, 16, 1]
kernels = [tf.Variable(glorot(seed=SEED + i)((a, b))) for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:]))]
biases = [tf.Variable(tf.zeros(b)) for b in sizes[1:]]
variables = [v for pair in zip(kernels, biases) for v in pair]


def dropout(h, p):
    keep = tf.cast(tf.random.uniform(tf.shape(h)) >= p, h.dtype)
    return h * keep / (1.0 - p)


def forward(x, training):
    h = x
    for k, (w, b) in enumerate(zip(kernels, biases)):
        h = h @ w + b
        if k < 2:
            h = tf.nn.relu(h)
            if training:
                h = dropout(h, P_DROP[k])
    return tf.squeeze(h, axis=-1)


def pointwise(z, y):
    # y * -log(sigmoid(z)) + (1 - y) * -log(1 - sigmoid(z))
    return y * tf.math.softplus(-z) + (1.0 - y) * tf.math.softplus(z)


def penalty():
    return L2 * tf.add_n([tf.reduce_sum(tf.square(w)) for w in kernels])


optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)


@tf.function(reduce_retracing=True)
def step(x, y):
    w = tf.where(y > 0.5, WEIGHT[1], WEIGHT[0])
    n = tf.cast(tf.shape(y)[0], tf.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(w * pointwise(forward(x, True), y)) / n + penalty()
    optimizer.apply(tape.gradient(loss, variables), variables)
    return loss


def main():
    xtr, ytr, xte, yte = load()
    n = len(xtr)
    for epoch in range(EPOCHS):
        perm = rng.permutation(n)
        total = 0.0
        for s in range(0, n, BATCH):
            idx = perm[s:s + BATCH]
            total += float(step(tf.constant(xtr[idx]), tf.constant(ytr[idx]))) * len(idx)
        print(f"epoch {epoch + 1} loss {total / n:.4f}")
    z = forward(tf.constant(xte), False)
    test = float(tf.reduce_mean(pointwise(z, yte)) + penalty())
    print(f"test loss {test:.4f} accuracy {np.mean((z.numpy() > 0) == (yte > 0.5)):.4f}")


main()
