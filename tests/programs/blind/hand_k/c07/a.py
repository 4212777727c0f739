"""Digits with raw TensorFlow variables; softmax loss, penalty and Adam written out."""
import math

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

SIZES = [64, 40, 24, 10]
BATCH, EPOCHS = 100, 30
LR, BETA1, BETA2, EPS, ALPHA = 4e-3, 0.9, 0.999, 1e-8, 0.1


def make_data():
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(12).permutation(len(x))
    x, y = (x[order] / 8.0 - 1.0).astype(np.float32), y[order]
    return x[:1500], y[:1500], x[1500:], y[1500:]


tf.random.set_seed(23)
x_train, y_train, x_test, y_test = make_data()

weights, biases = [], []
for n_in, n_out in zip(SIZES[:-1], SIZES[1:]):
    bound = math.sqrt(2.0 / (n_in + n_out))         # the rule for logistic units
    weights.append(tf.Variable(tf.random.uniform((n_in, n_out), -bound, bound)))
    biases.append(tf.Variable(tf.random.uniform((n_out,), -bound, bound)))
params = weights + biases
m = [tf.Variable(tf.zeros_like(p)) for p in params]
v = [tf.Variable(tf.zeros_like(p)) for p in params]


def forward(x):
    for w, b in zip(weights[:-1], biases[:-1]):
        x = tf.sigmoid(x @ w + b)
    return x @ weights[-1] + biases[-1]


def cross_entropy(logits, y):
    logp = tf.nn.log_softmax(logits, axis=1)
    return -tf.reduce_mean(tf.gather(logp, y, axis=1, batch_dims=1))


@tf.function
def train_step(x, y, rate):
    with tf.GradientTape() as tape:
        penalty = tf.add_n([tf.reduce_sum(w * w) for w in weights])
        loss = cross_entropy(forward(x), y) + 0.5 * ALPHA / BATCH * penalty
    grads = tape.gradient(loss, params)
    for p, mi, vi, g in zip(params, m, v, grads):
        mi.assign(BETA1 * mi + (1.0 - BETA1) * g)
        vi.assign(BETA2 * vi + (1.0 - BETA2) * g * g)
        p.assign_sub(rate * mi / (tf.sqrt(vi) + EPS))
    return loss


shuffler = np.random.default_rng(23)
t = 0
for epoch in range(EPOCHS):
    order = shuffler.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        t += 1
        rate = LR * math.sqrt(1.0 - BETA2 ** t) / (1.0 - BETA1 ** t)
        loss = train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]),
                          tf.constant(rate, tf.float32))
        total += float(loss) * len(idx)
    if epoch % 5 == 0:
        print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.5f}")

train_ce = float(cross_entropy(forward(x_train), y_train))
accuracy = np.mean(np.argmax(forward(x_test).numpy(), axis=1) == y_test)
print(f"train cross-entropy {train_ce:.5f} test accuracy {accuracy:.4f}")
