import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

N, L, D, E, HEADS, SIGMA = 800, 10, 6, 16, 2, 0.5
BATCH, EPOCHS, LR, EMA = 64, 16, 3e-3, 0.98


def make(n, seed):
    rng = np.random.default_rng(seed)
    proto = np.random.default_rng(0).standard_normal((5, D))
    pick = rng.integers(0, 5, (n, 2))
    which = rng.integers(0, 2, (n, L))
    return proto[np.take_along_axis(pick, which, 1)].astype("float32")


clean, held = make(N, 60), make(300, 61)
held_noisy = held + SIGMA * np.random.default_rng(62).standard_normal(held.shape).astype("float32")
tf.random.set_seed(70)


def glorot(i, o):
    lim = np.sqrt(6.0 / (i + o))
    return tf.Variable(tf.random.uniform((i, o), -lim, lim))


P = {"emb": glorot(D, E), "q": glorot(E, E), "k": glorot(E, E), "v": glorot(E, E), "o": glorot(E, E),
     "gain": tf.Variable(tf.ones(E)), "shift": tf.Variable(tf.zeros(E)), "bias": tf.Variable(tf.zeros(D))}
names = list(P)
ema = {n: tf.Variable(P[n], trainable=False) for n in names}


def forward(p, x):
    def split(t):
        return tf.reshape(t, (tf.shape(x)[0], L, HEADS, E // HEADS))
    h = tf.einsum("bld,de->ble", x, p["emb"])
    mean = tf.reduce_mean(h, -1, keepdims=True)
    var = tf.reduce_mean(tf.square(h - mean), -1, keepdims=True)
    u = (h - mean) * tf.math.rsqrt(var + 1e-5) * p["gain"] + p["shift"]
    q, k, v = (split(tf.einsum("ble,ef->blf", u, p[n])) for n in "qkv")
    att = tf.nn.softmax(tf.einsum("bqhc,bkhc->bhqk", q, k) / np.sqrt(E // HEADS), -1)
    mix = tf.reshape(tf.einsum("bhqk,bkhc->bqhc", att, v), (tf.shape(x)[0], L, E))
    h = h + tf.einsum("ble,ef->blf", mix, p["o"])
    return tf.einsum("ble,de->bld", h, p["emb"]) + p["bias"]


opt = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.98, epsilon=1e-12)
opt.build([P[n] for n in names])


@tf.function(reduce_retracing=True)
def step(x):
    noisy = x + SIGMA * tf.random.normal(tf.shape(x))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(forward(P, noisy) - x))
    grads = tape.gradient(loss, [P[n] for n in names])
    opt.apply_gradients(zip(grads, [P[n] for n in names]))
    for n in names:
        ema[n].assign(EMA * ema[n] + (1 - EMA) * P[n])
    return loss


ds = tf.data.Dataset.from_tensor_slices(clean).shuffle(N, seed=70, reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    total = sum(float(step(x)) * len(x) for x in ds) / N
    raw, avg = (float(tf.reduce_mean(tf.square(forward(p, held_noisy) - held))) for p in (P, ema))
    print(f"epoch {epoch:2d} train {total:.4f} held-out {raw:.4f} averaged {avg:.4f}")
