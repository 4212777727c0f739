import numpy as np
import tensorflow as tf

tf.random.set_seed(17)
order_rng = np.random.default_rng(17)

rng = np.random.default_rng(100)
n, d = 900, 20
X = rng.normal(size=(n, d)).astype("float32")
score = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.5 * X[:, 3] + 0.4 * rng.normal(size=n)
y = (score > 0).astype("float32")[:, None]
X_train, y_train, X_val, y_val = X[:480], y[:480], X[480:], y[480:]


def dense(n_in, n_out):
    limit = np.sqrt(6.0 / (n_in + n_out))
    w = tf.Variable(tf.random.uniform((n_in, n_out), -limit, limit))
    return w, tf.Variable(tf.zeros((n_out,)))


W1, b1 = dense(d, 64)
W2, b2 = dense(64, 32)
W3, b3 = dense(32, 1)
params = [W1, b1, W2, b2, W3, b3]
velocity = [tf.Variable(tf.zeros_like(p)) for p in params]
LR, MOMENTUM = 0.1, 0.9


def predict(x):
    h = tf.nn.relu(x @ W1 + b1)
    h = tf.nn.relu(h @ W2 + b2)
    return h @ W3 + b3


def bce(y, z):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z))


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = bce(yb, predict(xb))
    for p, v, g in zip(params, velocity, tape.gradient(loss, params)):
        v.assign(MOMENTUM * v - LR * g)
        p.assign_add(v)
    return loss


# train
for epoch in range(30):
    perm = order_rng.permutation(len(X_train))
    for i in range(0, len(perm), 32):
        idx = perm[i:i + 32]
        step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))

for name, xs, ys in (("train", X_train, y_train), ("val", X_val, y_val)):
    logit = predict(tf.constant(xs)).numpy()
    print(name, "loss %.4f acc %.4f" % (float(bce(ys, logit)), np.mean((logit > 0) == (ys > 0.5))))
