"""Diabetes progression with plain TensorFlow variables; penalty and Nesterov step by hand."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes

tf.random.set_seed(3)

X, y = load_diabetes(return_X_y=True)
perm = np.random.default_rng(17).permutation(len(X))
X, y = X[perm], y[perm]
X = ((X - X[:340].mean(0)) / X[:340].std(0)).astype(np.float32)
y = ((y - y[:340].mean()) / y[:340].std()).astype(np.float32)
X_train, y_train, X_test, y_test = X[:340], y[:340], X[340:], y[340:]

LR, MU, ALPHA, BATCH, EPOCHS = 0.05, 0.9, 0.05, 34, 40
sizes = [10, 16, 8, 1]

weights, biases = [], []
for n_in, n_out in zip(sizes[:-1], sizes[1:]):
    bound = np.sqrt(2.0 / (n_in + n_out))  # range used with logistic units
    weights.append(tf.Variable(tf.random.uniform((n_in, n_out), -bound, bound)))
    biases.append(tf.Variable(tf.random.uniform((n_out,), -bound, bound)))
variables = weights + biases
velocities = [tf.Variable(tf.zeros_like(v)) for v in variables]


def forward(x):
    h = x
    for w, b in zip(weights[:-1], biases[:-1]):
        h = tf.sigmoid(h @ w + b)
    return tf.squeeze(h @ weights[-1] + biases[-1], axis=1)


def half_mse(x, y):
    return 0.5 * tf.reduce_mean(tf.square(forward(x) - y))


@tf.function
def step(x, y):
    n = tf.cast(tf.shape(x)[0], tf.float32)
    with tf.GradientTape() as tape:
        penalty = tf.add_n([tf.reduce_sum(w * w) for w in weights])
        loss = half_mse(x, y) + 0.5 * ALPHA * penalty / n
    for var, vel, g in zip(variables, velocities, tape.gradient(loss, variables)):
        vel.assign(MU * vel - LR * g)
        var.assign_add(MU * vel - LR * g)


# ---- training
shuffler = np.random.default_rng(3)
for epoch in range(EPOCHS):
    order = shuffler.permutation(len(X_train))
    for i in range(0, len(order), BATCH):
        step(X_train[order[i:i + BATCH]], y_train[order[i:i + BATCH]])

print("train half mse: %.4f" % float(half_mse(X_train, y_train)))
print("test half mse:  %.4f" % float(half_mse(X_test, y_test)))
