"""Residual MLP on a rough surface, own Keras layers and a GradientTape: normalisation, dropout
mask, GELU, penalty, log-cosh and Adamax written by hand."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

WIDTH, L2, RATE = 32, 2e-4, 0.1
BATCH, EPOCHS = 64, 28
LR, B1, B2, EPS = 0.006, 0.9, 0.999, 1e-7


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.uniform(-2, 2, size=(n, 5))
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] - np.abs(x[:, 3]) + 0.1 * rng.standard_t(3, size=n)
    return x.astype("float32"), y[:, None].astype("float32")


def dense(units):
    return keras.layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros")


def gelu(x):
    return 0.5 * x * (1.0 + tf.math.erf(x / np.float32(np.sqrt(2.0))))


class Norm(keras.layers.Layer):
    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros", name="shift")

    def call(self, x):
        mean = tf.reduce_mean(x, axis=-1, keepdims=True)
        var = tf.reduce_mean(tf.square(x - mean), axis=-1, keepdims=True)
        return self.gain * (x - mean) * tf.math.rsqrt(var + 1e-5) + self.shift


class Residual(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = dense(WIDTH)
        self.norms = [Norm(), Norm()]
        self.ups = [dense(WIDTH), dense(WIDTH)]
        self.downs = [dense(WIDTH), dense(WIDTH)]
        self.last_norm = Norm()
        self.head = dense(1)

    def kernels(self):
        return [d.kernel for d in [self.first, *self.ups, *self.downs, self.head]]

    def call(self, x, training=False):
        h = gelu(self.first(x))
        for norm, up, down in zip(self.norms, self.ups, self.downs):
            z = gelu(up(norm(h)))
            if training:
                keep = tf.cast(tf.random.uniform(tf.shape(z)) >= RATE, tf.float32)
                z = z * keep / (1.0 - RATE)
            h = h + down(z)
        return self.head(self.last_norm(h))


def log_cosh(err):
    return tf.reduce_mean(err + tf.math.softplus(-2.0 * err) - np.float32(np.log(2.0)))


def main():
    keras.utils.set_random_seed(202)
    x, y = make_data(1000, 3)
    xt, yt = make_data(500, 4)
    model = Residual()
    model(x[:2])
    print("weights:", model.count_params())
    variables = [v.value for v in model.trainable_variables]
    first = [tf.Variable(tf.zeros_like(v)) for v in variables]
    peak = [tf.Variable(tf.zeros_like(v)) for v in variables]
    count = tf.Variable(0.0)

    @tf.function(reduce_retracing=True)
    def step(xb, yb):
        with tf.GradientTape() as tape:
            loss = log_cosh(model(xb, training=True) - yb)
            loss += L2 * tf.add_n([tf.reduce_sum(tf.square(k)) for k in model.kernels()])
        grads = tape.gradient(loss, variables)
        count.assign_add(1.0)
        for v, m, u, g in zip(variables, first, peak, grads):
            m.assign(B1 * m + (1.0 - B1) * g)
            u.assign(tf.maximum(B2 * u, tf.abs(g)))
            v.assign_sub(LR / (1.0 - B1 ** count) * m / (u + EPS))
        return loss

    order_rng = np.random.RandomState(303)
    for e in range(EPOCHS):
        order = order_rng.permutation(len(x))
        total = 0.0
        for s in range(0, len(x), BATCH):
            idx = order[s:s + BATCH]
            total += float(step(tf.constant(x[idx]), tf.constant(y[idx]))) * len(idx)
        if e % 4 == 3:
            print(f"epoch {e + 1:2d}  loss {total / len(x):.4f}")
    err = model(xt, training=False).numpy() - yt
    print(f"test mse {np.mean(err ** 2):.4f}  mae {np.mean(np.abs(err)):.4f}")


if __name__ == "__main__":
    main()
