"""Mixture density network with plain tf.Variables and a GradientTape."""
import math

import keras
import numpy as np
import tensorflow as tf

SEED = 7
tf.random.set_seed(SEED)
np_order = np.random.default_rng(SEED)

# inverse problem: several y for one x
rng = np.random.default_rng(5)
y_all = rng.uniform(0, 1, (1300, 1))
x_all = y_all + 0.3 * np.sin(2 * np.pi * y_all) + 0.03 * rng.standard_normal((1300, 1))
x_all, y_all = (4 * x_all - 2).astype("float32"), y_all.astype("float32")
x_train, y_train, x_test, y_test = x_all[:1000], y_all[:1000], x_all[1000:], y_all[1000:]

HIDDEN, K = 32, 4
w1 = tf.Variable(tf.random.normal((1, HIDDEN), stddev=1.0))
b1 = tf.Variable(tf.random.normal((HIDDEN,), stddev=0.5))
w2 = tf.Variable(tf.random.normal((HIDDEN, 3 * K), stddev=1 / math.sqrt(HIDDEN)))
b2 = tf.Variable(tf.zeros((3 * K,)))
variables = [w1, b1, w2, b2]

schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, decay_steps=5, decay_rate=0.8)
optimizer = keras.optimizers.Adam(schedule, beta_2=0.99, epsilon=1e-7)


def negative_log_likelihood(x, y):
    h = tf.tanh(x @ w1 + b1)
    logits, mu, log_sigma = tf.split(h @ w2 + b2, 3, axis=1)
    log_pi = tf.nn.log_softmax(logits, axis=1)
    log_sigma = tf.maximum(log_sigma, -4.0)
    z = (y - mu) * tf.exp(-log_sigma)
    log_normal = -0.5 * z * z - log_sigma - 0.5 * math.log(2 * math.pi)
    return -tf.reduce_mean(tf.reduce_logsumexp(log_pi + log_normal, axis=1))


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = negative_log_likelihood(x, y)
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


print(f"test nll before {negative_log_likelihood(x_test, y_test).numpy():.4f}")
BATCH = 50
for epoch in range(25):
    order = np_order.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        total += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}  train nll {total / len(x_train):.4f}")
print(f"test nll after {negative_log_likelihood(x_test, y_test).numpy():.4f}")
