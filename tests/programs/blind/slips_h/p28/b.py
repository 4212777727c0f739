"""Waveform classification, the same convolutional network spelt out with TensorFlow variables."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(50)

LENGTH, CLASSES, BATCH, EPOCHS = 48, 4, 40, 12


def make_waves(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(LENGTH) / LENGTH
    x = np.zeros((n, 2, LENGTH), dtype="float32")
    y = rng.integers(0, CLASSES, size=n)
    for i, kind in enumerate(y):
        f, ph = rng.uniform(2, 5), rng.uniform(0, 2 * np.pi)
        arg = 2 * np.pi * f * t + ph
        wave = [np.sin(arg), np.sign(np.sin(arg)), 2 * ((f * t + ph) % 1) - 1, np.abs(np.sin(arg)) * 2 - 1][kind]
        x[i, 0] = wave + 0.9 * rng.normal(size=LENGTH)
        x[i, 1] = np.roll(wave, rng.integers(1, 6)) + 0.9 * rng.normal(size=LENGTH)
    return np.ascontiguousarray(x.transpose(0, 2, 1)), y


x_train, y_train = make_waves(960, 60)
x_test, y_test = make_waves(400, 61)


def uniform(shape, fan_in):
    bound = fan_in ** -0.5
    return tf.Variable(tf.random.uniform(shape, -bound, bound))


class BatchNorm:
    def __init__(self, channels, eps=1e-5, rate=0.1):
        self.gamma = tf.Variable(tf.ones(channels))
        self.beta = tf.Variable(tf.zeros(channels))
        self.mean = tf.Variable(tf.zeros(channels), trainable=False)
        self.var = tf.Variable(tf.ones(channels), trainable=False)
        self.eps, self.rate = eps, rate

    def __call__(self, x, training):
        if training:
            mean = tf.reduce_mean(x, axis=[0, 1])
            var = tf.reduce_mean(tf.square(x - mean), axis=[0, 1])
            n = tf.cast(tf.shape(x)[0] * tf.shape(x)[1], tf.float32)
            self.mean.assign((1 - self.rate) * self.mean + self.rate * mean)
            self.var.assign((1 - self.rate) * self.var + self.rate * var * n / (n - 1))
        else:
            mean, var = self.mean, self.var
        return self.gamma * (x - mean) / tf.sqrt(var + self.eps) + self.beta


k1 = uniform([5, 2, 16], 2 * 5)
n1 = BatchNorm(16)
k2 = uniform([5, 16, 24], 16 * 5)
n2 = BatchNorm(24)
w = uniform([24, CLASSES], 24)
b = uniform([CLASSES], 24)
params = [k1, n1.gamma, n1.beta, k2, n2.gamma, n2.beta, w, b]
buffers = [tf.Variable(tf.zeros_like(p)) for p in params]


def network(x, training):
    h = tf.nn.relu(n1(tf.nn.conv1d(x, k1, stride=1, padding="SAME"), training))
    h = tf.nn.max_pool1d(h, 2, 2, "VALID")
    h = tf.nn.relu(n2(tf.nn.conv1d(h, k2, stride=1, padding="SAME"), training))
    return tf.matmul(tf.reduce_mean(h, axis=1), w) + b


def smooth_loss(y, z, e=0.1):
    q = (1 - e) * tf.one_hot(y, CLASSES) + e / CLASSES
    return -tf.reduce_mean(tf.reduce_sum(q * tf.nn.log_softmax(z), axis=1))


@tf.function
def step(x, y, lr):
    with tf.GradientTape() as tape:
        loss = smooth_loss(y, network(x, True))
    for p, buf, g in zip(params, buffers, tape.gradient(loss, params)):
        buf.assign(0.9 * buf + g)
        p.assign_sub(lr * (buf + 1e-3 * p))
    return loss


rng = np.random.default_rng(50)
for epoch in range(EPOCHS):
    lr = 0.05 * 0.2 ** ((epoch >= 6) + (epoch >= 9))
    perm = rng.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(step(tf.constant(x_train[idx]), tf.constant(y_train[idx]), tf.constant(lr, tf.float32))) * len(idx)
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.4f}")

z = network(tf.constant(x_test), False)
accuracy = np.mean(tf.argmax(z, axis=1).numpy() == y_test)
print(f"test loss {float(smooth_loss(y_test, z)):.4f} accuracy {accuracy:.4f}")
