import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

BATCH, EPOCHS, LR = 100, 12, 5e-3


def rig(n, seed):
    rng = np.random.default_rng(seed)
    x = np.stack([rng.uniform(20, 30, n), rng.normal(3, 0.7, n), rng.exponential(2.0, n), rng.uniform(-8, -2, n)], 1)
    mean = np.sin(0.6 * x[:, 0]) + 0.8 * (x[:, 1] - 3) - 0.3 * x[:, 2]
    std = 0.15 + 0.08 * np.abs(x[:, 3])
    y = mean + std * rng.standard_normal(n)
    return x.astype("float32"), y.astype("float32")


x, y = rig(1200, 50)
xv, yv = rig(600, 51)
tf.random.set_seed(6)


def glorot(i, o):
    lim = np.sqrt(6.0 / (i + o))
    return tf.Variable(tf.random.uniform((i, o), -lim, lim))


class BatchNorm(tf.Module):
    def __init__(self, c, momentum=0.99, eps=1e-5, affine=True):
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gamma = tf.Variable(tf.ones(c)) if affine else None
        self.beta = tf.Variable(tf.zeros(c)) if affine else None
        self.mean = tf.Variable(tf.zeros(c), trainable=False)
        self.var = tf.Variable(tf.ones(c), trainable=False)

    def __call__(self, x, training):
        if training:
            m, v = tf.nn.moments(x, [0])
            n = tf.cast(tf.shape(x)[0], tf.float32)
            self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * m)
            self.var.assign(self.momentum * self.var + (1 - self.momentum) * v * n / (n - 1))
        else:
            m, v = self.mean, self.var
        return tf.nn.batch_normalization(x, m, v, self.beta, self.gamma, self.eps)


class HeteroNet(tf.Module):
    def __init__(self, h=32):
        super().__init__()
        self.norm_in = BatchNorm(4, affine=False)
        self.w1, self.n1 = glorot(4, h), BatchNorm(h)
        self.w2, self.n2 = glorot(h, h), BatchNorm(h)
        self.w3, self.b3 = glorot(h, 2), tf.Variable(tf.zeros(2))

    def __call__(self, x, training):
        h = tf.tanh(self.n1(self.norm_in(x, training) @ self.w1, training))
        h = tf.tanh(self.n2(h @ self.w2, training))
        mu, raw = tf.unstack(h @ self.w3 + self.b3, axis=-1)
        return mu, tf.math.softplus(raw) + 0.02


def nll(pred, y):
    mu, sd = pred
    return tf.reduce_mean(tf.math.log(sd) + 0.5 * tf.square((y - mu) / sd))


net = HeteroNet()
weights = list(net.trainable_variables)
opt = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(weights)


@tf.function
def train_step(bx, by):
    with tf.GradientTape() as tape:
        loss = nll(net(bx, True), by)
    opt.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


rng = np.random.default_rng(6)
for epoch in range(1, EPOCHS + 1):
    perm = rng.permutation(len(x))
    ls = [float(train_step(x[perm[i:i + BATCH]], y[perm[i:i + BATCH]])) for i in range(0, len(x), BATCH)]
    pred = net(xv, False)
    rmse = np.sqrt(np.mean((pred[0].numpy() - yv) ** 2))
    print(f"epoch {epoch:2d} nll {np.mean(ls):.4f} valid nll {float(nll(pred, yv)):.4f} rmse {rmse:.4f}")
