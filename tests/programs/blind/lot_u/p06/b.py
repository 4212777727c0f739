import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import math
import numpy as np
import tensorflow as tf
import keras

KMIX, MICRO, ACCUM, EPOCHS, LR = 4, 25, 4, 25, 0.01


def make(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.uniform(-1, 1, (n, 1))
    x = y + 0.35 * np.sin(2 * np.pi * y) + 0.05 * rng.standard_normal((n, 1))
    return x.astype("float32"), y.astype("float32")


x, y = make(1200, 4)
xv, yv = make(400, 5)
keras.utils.set_random_seed(9)

inp = keras.Input((1,))
h = keras.layers.Dense(24, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros")(inp)
net = keras.Model(inp, keras.layers.Dense(3 * KMIX, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h))


def nll(out, y):
    logit, mu, raw = tf.split(out, 3, axis=-1)
    sigma = tf.math.softplus(raw) + 0.05
    logp = -0.5 * tf.square((y - mu) / sigma) - tf.math.log(sigma) - 0.5 * math.log(2 * math.pi)
    return -tf.reduce_mean(tf.reduce_logsumexp(tf.nn.log_softmax(logit, -1) + logp, -1))


opt = keras.optimizers.SGD(learning_rate=LR, momentum=0.9, gradient_accumulation_steps=ACCUM)
opt.build(net.trainable_variables)


@tf.function
def micro_step(bx, by):
    with tf.GradientTape() as tape:
        loss = nll(net(bx, training=True), by)
    opt.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
    return loss


rng = np.random.default_rng(9)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(x)).reshape(-1, MICRO)
    total = sum(float(micro_step(x[j], y[j])) for j in perm)
    print(f"epoch {epoch:2d} nll {total / len(perm):.4f} valid {float(nll(net(xv), yv)):.4f}")
