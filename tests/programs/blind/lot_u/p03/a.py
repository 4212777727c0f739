import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

D, K, TEMP, HARD = 10, 5, 2.0, 0.3


def make_data(n=1200, seed=21):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, D))
    w1, w2 = rng.standard_normal((D, 40)) / np.sqrt(D), rng.standard_normal((40, K)) / np.sqrt(40)
    z = 4.0 * np.tanh(x @ w1 * 1.5) @ w2            # frozen teacher
    y = (z + 0.5 * rng.standard_normal(z.shape)).argmax(1)
    return x.astype("float32"), z.astype("float32"), y.astype("int32")


x, z, y = make_data()
xt, zt, yt, xv, zv, yv = x[:800], z[:800], y[:800], x[800:], z[800:], y[800:]
keras.utils.set_random_seed(5)

student = keras.Sequential([
    keras.Input((D,)),
    keras.layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    keras.layers.Dense(K, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
opt = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, weight_decay=0.01)
opt.build(student.trainable_variables)


def kd_loss(s, t, labels):
    p = tf.nn.softmax(t / TEMP)
    kl = tf.reduce_sum(p * (tf.nn.log_softmax(t / TEMP) - tf.nn.log_softmax(s / TEMP)), -1)
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=s)
    return TEMP ** 2 * tf.reduce_mean(kl) + HARD * tf.reduce_mean(ce)


@tf.function
def train_step(bx, bz, by):
    with tf.GradientTape() as tape:
        loss = kd_loss(student(bx, training=True), bz, by)
    opt.apply(tape.gradient(loss, student.trainable_variables), student.trainable_variables)
    return loss


rng = np.random.default_rng(5)
for epoch in range(20):
    perm = rng.permutation(len(xt))
    ls = [float(train_step(xt[j], zt[j], yt[j])) for j in np.split(perm, 20)]
    s = student(xv, training=False)
    acc = np.mean(np.argmax(s.numpy(), 1) == yv)
    print(f"{epoch:2d} train {np.mean(ls):.4f} valid {float(kd_loss(s, zv, yv)):.4f} acc {acc:.3f}")
