import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

OMEGA, ZETA, W_ODE, W_IC, EPOCHS, BATCH, LR = 4.0, 0.15, 0.05, 1.0, 80, 40, 4e-3

ts = np.linspace(0.0, 2.0, 240, dtype="float32")[:, None]
wd = OMEGA * np.sqrt(1 - ZETA ** 2)
exact = np.exp(-ZETA * OMEGA * ts) * (np.cos(wd * ts) + ZETA * OMEGA / wd * np.sin(wd * ts))
exact = exact.astype("float32")
obs = np.random.default_rng(40).choice(240, 20, replace=False)
t_obs = tf.constant(ts[obs])
u_obs = tf.constant(exact[obs] + 0.02 * np.random.default_rng(41).standard_normal((20, 1)).astype("float32"))

tf.random.set_seed(1)
sizes = [1, 24, 24, 1]
Ws = [tf.Variable(tf.random.normal((i, o), stddev=np.sqrt(2.0 / (i + o)))) for i, o in zip(sizes[:-1], sizes[1:])]
bs = [tf.Variable(tf.zeros(o)) for o in sizes[1:]]
params = Ws + bs


def net(t):
    for w, b in zip(Ws[:-1], bs[:-1]):
        t = tf.sin(2.0 * (t @ w + b))
    return t @ Ws[-1] + bs[-1]


opt = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(params)


def losses(t):
    with tf.GradientTape() as outer:
        outer.watch(t)
        with tf.GradientTape() as inner:
            inner.watch(t)
            u = net(t)
        du = inner.gradient(u, t)
    d2u = outer.gradient(du, t)
    ode = tf.reduce_mean(tf.square(d2u + 2 * ZETA * OMEGA * du + OMEGA ** 2 * u))
    t0 = tf.zeros((1, 1))
    with tf.GradientTape() as tape0:
        tape0.watch(t0)
        u0 = net(t0)
    du0 = tape0.gradient(u0, t0)
    ic = tf.reduce_sum(tf.square(u0 - 1.0)) + tf.reduce_sum(tf.square(du0)) / OMEGA ** 2
    fit = tf.reduce_mean(tf.square(net(t_obs) - u_obs))
    return fit + W_IC * ic + W_ODE * ode, ode, ic, fit


@tf.function
def train_step(t):
    with tf.GradientTape() as tape:
        out = losses(t)
    opt.apply_gradients(zip(tape.gradient(out[0], params), params))
    return out


rng = np.random.default_rng(555)
for epoch in range(1, EPOCHS + 1):
    perm = rng.permutation(len(ts)).reshape(-1, BATCH)
    rec = [[float(v) for v in train_step(tf.constant(ts[j]))] for j in perm]
    if epoch % 10 == 0:
        err = np.sqrt(np.mean((net(ts).numpy() - exact) ** 2))
        print("epoch %3d total %.5f ode %.5f ic %.5f fit %.5f | rms error %.4f" % (epoch, *np.mean(rec, 0), err))
