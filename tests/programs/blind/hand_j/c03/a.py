"""Imbalanced digits: tf.Variable model, own dropout, own class weighting, own Nesterov step."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

BATCH, EPOCHS, LR, MU, RATE = 32, 10, 0.02, 0.9, 0.4


def make_data():
    digits = load_digits()
    x = (digits.images / 16.0).astype("float32")[..., None]
    y = digits.target.astype("int64")
    rng = np.random.default_rng(21)
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    x_test, y_test = x[:400], y[:400]
    x, y = x[400:], y[400:]
    keep = (y < 5) | (rng.random(len(y)) < 0.3)      # digits 5..9 are rare
    return x[keep], y[keep], x_test, y_test


def glorot(shape, fan_in, fan_out):
    limit = (6.0 / (fan_in + fan_out)) ** 0.5
    return tf.Variable(tf.random.uniform(shape, -limit, limit))


def init_params():
    return [
        glorot([3, 3, 1, 12], 9 * 1, 9 * 12), tf.Variable(tf.zeros([12])),
        glorot([3, 3, 12, 24], 9 * 12, 9 * 24), tf.Variable(tf.zeros([24])),
        glorot([96, 10], 96, 10), tf.Variable(tf.zeros([10])),
    ]


def forward(params, x, training):
    w1, b1, w2, b2, w3, b3 = params
    h = tf.nn.relu(tf.nn.conv2d(x, w1, strides=1, padding="SAME") + b1)
    h = tf.nn.max_pool2d(h, 2, 2, "VALID")
    h = tf.nn.relu(tf.nn.conv2d(h, w2, strides=1, padding="SAME") + b2)
    h = tf.nn.max_pool2d(h, 2, 2, "VALID")
    h = tf.reshape(h, [-1, 96])
    if training:
        mask = tf.cast(tf.random.uniform(tf.shape(h)) >= RATE, tf.float32)
        h = h * mask / (1.0 - RATE)
    return h @ w3 + b3


def weighted_loss(logits, y, class_weight):
    logp = tf.nn.log_softmax(logits)
    nll = -tf.gather(logp, y, batch_dims=1)
    return tf.reduce_sum(tf.gather(class_weight, y) * nll) / tf.cast(tf.shape(y)[0], tf.float32)


def make_step(params, velocity, class_weight, training=True):
    @tf.function(reduce_retracing=True)
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = weighted_loss(forward(params, x, training), y, class_weight)
        for p, v, g in zip(params, velocity, tape.gradient(loss, params)):
            v.assign(MU * v - LR * g)
            p.assign_add(MU * v - LR * g)
        return loss
    return step


def main():
    x, y, x_test, y_test = make_data()
    counts = np.bincount(y, minlength=10)
    class_weight = tf.constant(len(y) / (10.0 * counts), tf.float32)

    tf.random.set_seed(4)
    rng = np.random.default_rng(4)
    params = init_params()
    velocity = [tf.Variable(tf.zeros_like(p)) for p in params]
    step = make_step(params, velocity, class_weight)

    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        total = 0.0
        for i in range(0, len(x), BATCH):
            idx = order[i:i + BATCH]
            total += float(step(tf.constant(x[idx]), tf.constant(y[idx]))) * len(idx)
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}")

    logits = forward(params, tf.constant(x_test), training=False)
    acc = np.mean(np.argmax(logits.numpy(), axis=1) == y_test)
    ce = tf.reduce_mean(-tf.gather(tf.nn.log_softmax(logits), y_test, batch_dims=1))
    print(f"test loss {float(ce):.4f} acc {acc:.4f}")


if __name__ == "__main__":
    main()
