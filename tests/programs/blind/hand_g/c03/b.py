"""One attention block on padded sequences: TensorFlow, attention and its mask by hand, GradientTape."""
import math

import numpy as np
import keras
import tensorflow as tf

keras.utils.set_random_seed(77)


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    T, D = 12, 8
    x = np.zeros((n, T, D), np.float32)
    pad = np.ones((n, T), bool)
    y = np.zeros(n, np.int64)
    for i in range(n):
        length = rng.integers(5, T + 1)
        seq = rng.normal(size=(length, D)).astype(np.float32)
        seq[:, 0] = 0.0
        where = rng.integers(0, length)
        seq[where, 0] = 2.0                       # the marked token decides
        y[i] = int(np.argmax(seq[where, 1:4]))
        x[i, :length] = seq
        pad[i, :length] = False
    return x, pad, y


x_train, pad_train, y_train = make_data(1500, 0)
x_test, pad_test, y_test = make_data(500, 1)

D_MODEL, HEADS, FF = 32, 4, 64
HEAD_DIM = D_MODEL // HEADS


def positions(T, d):
    table = np.zeros((T, d), np.float32)
    for p in range(T):
        for k in range(0, d, 2):
            angle = p / 10000.0 ** (k / d)
            table[p, k] = math.sin(angle)
            table[p, k + 1] = math.cos(angle)
    return tf.constant(table)


class HandAttention(keras.layers.Layer):
    def build(self, shape):
        mk = lambda name: self.add_weight(name=name, shape=(D_MODEL, D_MODEL), initializer="glorot_uniform")
        self.wq, self.wk, self.wv, self.wo = mk("wq"), mk("wk"), mk("wv"), mk("wo")

    def split(self, z):
        z = tf.reshape(z, (-1, tf.shape(z)[1], HEADS, HEAD_DIM))
        return tf.transpose(z, (0, 2, 1, 3))                       # B, H, T, d

    def call(self, h, pad):
        q, k, v = (self.split(tf.matmul(h, w)) for w in (self.wq, self.wk, self.wv))
        scores = tf.matmul(q, k, transpose_b=True) / math.sqrt(HEAD_DIM)
        scores += -1e9 * tf.cast(pad, tf.float32)[:, None, None, :]
        scores -= tf.reduce_max(scores, axis=-1, keepdims=True)
        e = tf.exp(scores)
        weights = e / tf.reduce_sum(e, axis=-1, keepdims=True)
        mixed = tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3))
        mixed = tf.reshape(mixed, (-1, tf.shape(h)[1], D_MODEL))
        return tf.matmul(mixed, self.wo)


def dense(units, activation=None):
    return keras.layers.Dense(units, activation=activation,
                              kernel_initializer="glorot_uniform", bias_initializer="zeros")


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.inp = dense(D_MODEL)
        self.att = HandAttention()
        self.ff1 = dense(FF, "relu")
        self.ff2 = dense(D_MODEL)
        self.head = dense(3)
        self.pe = positions(12, D_MODEL)

    def call(self, x, pad):
        h = self.inp(x) + 0.3 * self.pe
        h = h + self.att(h, pad)
        h = h + self.ff2(self.ff1(h))
        real = tf.cast(tf.logical_not(pad), tf.float32)[..., None]
        pooled = tf.reduce_sum(h * real, axis=1) / tf.reduce_sum(real, axis=1)
        return self.head(pooled)


def cross_entropy(y, logits):
    log_p = logits - tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    return -tf.reduce_mean(tf.gather(log_p, y, axis=1, batch_dims=1))


model = Classifier()
model(x_train[:2], tf.constant(pad_train[:2]))
opt = keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1, epsilon=1e-12)


@tf.function
def train_step(x, pad, y):
    with tf.GradientTape() as tape:
        loss = cross_entropy(y, model(x, pad, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# training
rng = np.random.default_rng(9)
for epoch in range(15):
    perm = rng.permutation(len(x_train))
    tot = 0.0
    for i in range(0, len(perm), 50):
        idx = perm[i:i + 50]
        tot += float(train_step(tf.constant(x_train[idx]), tf.constant(pad_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1:2d}  loss {tot / len(perm):.4f}")

out = model(tf.constant(x_test), tf.constant(pad_test), training=False)
acc = np.mean(np.argmax(out.numpy(), axis=1) == y_test)
print(f"test loss {float(cross_entropy(tf.constant(y_test), out)):.4f}  accuracy {acc:.4f}")
