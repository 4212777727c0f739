import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

STEPS_T, BATCH, EPOCHS, LR, DECAY = 30, 100, 40, 0.05, 0.05


def spiral(n, seed):
    rng = np.random.default_rng(seed)
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    return (np.stack([t * np.cos(t), t * np.sin(t)], 1) / 8 + 0.03 * rng.standard_normal((n, 2))).astype("float32")


data, held = spiral(1000, 18), spiral(2000, 19)
betas = np.linspace(1e-3, 0.2, STEPS_T)
abar = np.cumprod(1 - betas).astype("float32")
A, B = tf.constant(np.sqrt(abar)), tf.constant(np.sqrt(1 - abar))

keras.utils.set_random_seed(20)
kw = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(48, activation="tanh", **kw),
                        keras.layers.Dense(48, activation="tanh", **kw), keras.layers.Dense(2, **kw)])


def features(x, t):
    u = tf.cast(t, tf.float32)[:, None] / STEPS_T
    return tf.concat([x, u, tf.sin(2 * np.pi * u), tf.cos(2 * np.pi * u), tf.sin(4 * np.pi * u)], 1)


opt = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12, decay=DECAY)
opt.build(net.trainable_variables)


@tf.function
def train_step(x0):
    t = tf.random.uniform((tf.shape(x0)[0],), 0, STEPS_T, dtype=tf.int32)
    eps = tf.random.normal(tf.shape(x0))
    xt = tf.gather(A, t)[:, None] * x0 + tf.gather(B, t)[:, None] * eps
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(net(features(xt, t), training=True) - eps))
    opt.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss


r = np.random.default_rng(21)
tv, ev = r.integers(0, STEPS_T, len(held)), r.standard_normal(held.shape).astype("float32")
xv = np.sqrt(abar)[tv, None] * held + np.sqrt(1 - abar)[tv, None] * ev
rng = np.random.default_rng(20)
for epoch in range(1, EPOCHS + 1):
    perm = rng.permutation(len(data))
    ls = [float(train_step(tf.constant(data[perm[i:i + BATCH]]))) for i in range(0, len(data), BATCH)]
    if epoch % 4 == 0:
        v = np.mean((net(features(tf.constant(xv), tf.constant(tv))).numpy() - ev) ** 2)
        print(f"epoch {epoch} train {np.mean(ls):.4f} held-out {v:.4f}")
