"""Breast cancer MLP on raw TensorFlow variables; penalty and momentum update by hand."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, log_loss

tf.random.set_seed(4)
shuffler = np.random.RandomState(4)

data = load_breast_cancer()
order = np.random.RandomState(21).permutation(len(data.target))
X, y = data.data[order], data.target[order]
mean, std = X[:449].mean(axis=0), X[:449].std(axis=0)
X = ((X - mean) / std).astype("float32")
x_train, y_train = X[:449], y[:449]
x_test, y_test = X[449:], y[449:]

SIZES = [30, 24, 12, 1]
ALPHA, BATCH, LR, MOMENTUM, EPOCHS = 0.2, 32, 0.02, 0.9, 16

kernels, biases = [], []
for fan_in, fan_out in zip(SIZES[:-1], SIZES[1:]):
    bound = float(np.sqrt(6.0 / (fan_in + fan_out)))
    kernels.append(tf.Variable(tf.random.uniform((fan_in, fan_out), -bound, bound)))
    biases.append(tf.Variable(tf.random.uniform((fan_out,), -bound, bound)))
params = kernels + biases
velocity = [tf.Variable(tf.zeros_like(p), trainable=False) for p in params]


def logits_of(x):
    h = x
    for k, (w, b) in enumerate(zip(kernels, biases)):
        h = tf.matmul(h, w) + b
        if k < len(kernels) - 1:
            h = tf.tanh(h)
    return h[:, 0]


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    n = tf.cast(tf.shape(xb)[0], tf.float32)
    with tf.GradientTape() as tape:
        z = logits_of(xb)
        data_loss = tf.reduce_mean(tf.nn.softplus(z) - yb * z)
        penalty = ALPHA / (2.0 * n) * tf.add_n([tf.reduce_sum(w * w) for w in kernels])
        objective = data_loss + penalty
    for p, v, g in zip(params, velocity, tape.gradient(objective, params)):
        v.assign(MOMENTUM * v - LR * g)
        p.assign_add(v)
    return data_loss


if __name__ == "__main__":
    targets = y_train.astype("float32")
    for epoch in range(1, EPOCHS + 1):
        perm = shuffler.permutation(len(targets))
        running = 0.0
        for start in range(0, len(perm), BATCH):
            i = perm[start:start + BATCH]
            running += len(i) * float(train_step(tf.constant(x_train[i]), tf.constant(targets[i])))
        print(f"epoch {epoch:2d}  objective {running / len(perm):.5f}")
    p = tf.sigmoid(logits_of(tf.constant(x_test))).numpy()
    print(f"test log loss {log_loss(y_test, p.astype('float64')):.5f}  "
          f"accuracy {accuracy_score(y_test, (p > 0.5).astype(int)):.4f}")
