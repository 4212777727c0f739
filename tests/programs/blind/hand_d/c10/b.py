"""Per-frame tagging: GRU cell, masked loss and RMSprop by hand (TensorFlow)."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(50)

T, D, K, PAD = 16, 5, 4, -100
UNITS = 20


def recordings(n, seed):
    rng = np.random.default_rng(seed)
    emit = np.random.default_rng(1000).normal(size=(K, D))
    x = np.zeros((n, T, D), dtype=np.float32)
    y = np.full((n, T), PAD, dtype=np.int64)
    for i in range(n):
        length = rng.integers(6, T + 1)
        state = rng.integers(K)
        for t in range(length):
            if rng.random() < 0.2:
                state = (state + rng.integers(1, K)) % K
            y[i, t] = state
            x[i, t] = emit[state] + 1.2 * rng.normal(size=D)
    return x, y


x_train, y_train = recordings(600, 71)
x_test, y_test = recordings(200, 72)


def uniform(shape, bound):
    return tf.Variable(tf.random.uniform(shape, -bound, bound))


# recurrent part: everything from U(-1/sqrt(units), 1/sqrt(units)), an input and a recurrent bias
r = UNITS ** -0.5
w_in = uniform((D, 3 * UNITS), r)
w_rec = uniform((UNITS, 3 * UNITS), r)
b_in = uniform((3 * UNITS,), r)
b_rec = uniform((3 * UNITS,), r)
w_out = uniform((UNITS, K), r)
b_out = uniform((K,), r)
variables = [w_in, w_rec, b_in, b_rec, w_out, b_out]
mean_square = [tf.Variable(tf.zeros_like(v)) for v in variables]


def forward(x):
    h = tf.zeros((tf.shape(x)[0], UNITS))
    outputs = []
    for t in range(T):
        xr, xz, xn = tf.split(x[:, t] @ w_in + b_in, 3, axis=1)
        hr, hz, hn = tf.split(h @ w_rec + b_rec, 3, axis=1)
        reset = tf.sigmoid(xr + hr)
        update = tf.sigmoid(xz + hz)
        new = tf.tanh(xn + reset * hn)
        h = (1.0 - update) * new + update * h
        outputs.append(h)
    return tf.stack(outputs, axis=1) @ w_out + b_out


def masked_cross_entropy(logits, y):
    valid = tf.cast(y != PAD, tf.float32)
    target = tf.one_hot(tf.maximum(y, 0), K)
    nll = -tf.reduce_sum(target * tf.nn.log_softmax(logits), axis=-1)
    return tf.reduce_sum(nll * valid) / tf.reduce_sum(valid)


LR, ALPHA, EPS = 4e-3, 0.9, 1e-8
BATCH, EPOCHS = 32, 14


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = masked_cross_entropy(forward(x), y)
    for v, s, g in zip(variables, mean_square, tape.gradient(loss, variables)):
        s.assign(ALPHA * s + (1.0 - ALPHA) * g * g)
        v.assign_sub(LR * g / (tf.sqrt(s) + EPS))
    return loss


def evaluate(x, y):
    z = forward(tf.constant(x))
    valid = y != PAD
    acc = np.mean(np.argmax(z, axis=-1)[valid] == y[valid])
    return float(masked_cross_entropy(z, tf.constant(y))), acc


# ---- training
shuffler = np.random.default_rng(50)
for epoch in range(EPOCHS):
    order = shuffler.permutation(len(x_train))
    for i in range(0, len(order), BATCH):
        idx = order[i:i + BATCH]
        train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))

print("train loss %.4f acc %.4f" % evaluate(x_train, y_train))
print("test  loss %.4f acc %.4f" % evaluate(x_test, y_test))
