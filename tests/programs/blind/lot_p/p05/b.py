import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(6)
rng_order = np.random.default_rng(6)

T, F_IN, E, HEADS = 12, 3, 16, 4


def make(n, seed):
    rng = np.random.default_rng(seed)
    value = rng.uniform(-1, 1, size=(n, T))
    flag = (rng.random((n, T)) < 0.35).astype(float)
    flag[np.arange(n), rng.integers(0, T, n)] = 1.0
    noise = rng.normal(size=(n, T))
    x = np.stack([value, flag, noise], -1).astype("float32")
    mean = (value * flag).sum(1, keepdims=True) / flag.sum(1, keepdims=True)
    return x, np.where(value > mean, 1.0, 0.0).astype("float32")


x_train, y_train = make(1024, 31)
x_test, y_test = make(512, 32)


class SelfAttention(layers.Layer):
    def __init__(self, dim, heads):
        super().__init__()
        self.dim, self.heads, self.head_dim = dim, heads, dim // heads
        self.in_proj = layers.Dense(3 * dim)
        self.out_proj = layers.Dense(dim)

    def call(self, x):
        n, t = tf.shape(x)[0], x.shape[1]
        q, k, v = tf.split(self.in_proj(x), 3, axis=-1)
        shape = (n, self.heads, t, self.head_dim)
        q, k, v = tf.reshape(q, shape), tf.reshape(k, shape), tf.reshape(v, shape)
        scores = tf.matmul(q, k, transpose_b=True) / np.float32(np.sqrt(self.head_dim))
        o = tf.matmul(tf.nn.softmax(scores, axis=-1), v)
        return self.out_proj(tf.reshape(o, (n, t, self.dim)))


class Tagger(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = layers.Dense(E)
        self.attn = SelfAttention(E, HEADS)
        self.hidden = layers.Dense(32, activation="relu")
        self.head = layers.Dense(1)

    def call(self, x):
        h = self.embed(x)
        h = self.hidden(h + self.attn(h))
        return tf.squeeze(self.head(h), -1)


model = Tagger()
model(x_train[:2])
opt = keras.optimizers.Adam(0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


def bce(y, z):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z))


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = bce(y, model(x, training=True))
    opt.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))


# train
for epoch in range(18):
    perm = rng_order.permutation(len(x_train))
    for s in range(0, len(perm), 32):
        i = perm[s:s + 32]
        step(tf.constant(x_train[i]), tf.constant(y_train[i]))

z = model(x_test, training=False).numpy()
print("test loss %.4f" % float(bce(y_test, z)))
print("test token accuracy %.4f" % np.mean((z > 0) == (y_test > 0.5)))
