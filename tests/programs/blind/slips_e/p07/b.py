"""Diabetes regression with plain TensorFlow variables; penalty and Adam written out."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes

EPOCHS, BATCH, HIDDEN, ALPHA, LR = 40, 50, (24, 12), 0.5, 5e-3
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8

data = load_diabetes()
perm = np.random.default_rng(2).permutation(len(data.target))
train, test = perm[:360], perm[360:]
x_mean, x_std = data.data[train].mean(0), data.data[train].std(0)
y_mean, y_std = data.target[train].mean(), data.target[train].std()
X = ((data.data - x_mean) / x_std).astype("float32")
Y = ((data.target - y_mean) / y_std).astype("float32")
x_train, y_train = X[train], Y[train][:, None]

tf.random.set_seed(4)
rng = np.random.default_rng(4)
sizes = [X.shape[1], *HIDDEN, 1]
kernels, biases = [], []
for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
    bound = (6.0 / (fan_in + fan_out)) ** 0.5
    kernels.append(tf.Variable(tf.random.uniform((fan_in, fan_out), -bound, bound)))
    biases.append(tf.Variable(tf.random.uniform((fan_out,), -bound, bound)))
variables = kernels + biases
m = [tf.Variable(tf.zeros_like(v)) for v in variables]
s = [tf.Variable(tf.zeros_like(v)) for v in variables]


def forward(x):
    h = x
    for W, b in zip(kernels[:-1], biases[:-1]):
        h = tf.tanh(h @ W + b)
    return h @ kernels[-1] + biases[-1]


@tf.function(reduce_retracing=True)
def train_step(x, y, lr_t):
    n = tf.cast(len(x_train), tf.float32)
    with tf.GradientTape() as tape:
        pred = forward(x)
        data_loss = 0.5 * tf.reduce_mean(tf.square(pred - y))
        penalty = tf.add_n([tf.reduce_sum(tf.square(W)) for W in kernels])
        loss = data_loss + 0.5 * ALPHA / n * penalty
    grads = tape.gradient(loss, variables)
    for var, g, mi, si in zip(variables, grads, m, s):
        mi.assign(BETA1 * mi + (1.0 - BETA1) * g)
        si.assign(BETA2 * si + (1.0 - BETA2) * tf.square(g))
        var.assign_sub(lr_t * mi / (tf.sqrt(si) + EPS))
    return loss


# training
t = 0
for epoch in range(1, EPOCHS + 1):
    order = rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        t += 1
        lr_t = LR * (1.0 - BETA2 ** t) ** 0.5 / (1.0 - BETA1 ** t)
        loss = train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]),
                          tf.constant(lr_t, tf.float32))
        total += float(loss) * len(idx)
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d}  objective {total / len(order):.4f}")

err = forward(tf.constant(X[test])).numpy()[:, 0] - Y[test]
mse = float((err ** 2).mean())
r2 = 1.0 - mse / float(((Y[test] - Y[test].mean()) ** 2).mean())
print(f"test mse {mse:.4f}  test r2 {r2:.4f}")
