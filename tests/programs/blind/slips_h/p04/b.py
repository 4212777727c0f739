"""Counts from sequences of unequal length: GRU step, mask, Poisson loss and the sign update by hand (TensorFlow)."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(9)

T, F, UNITS = 15, 4, 24
BATCH, EPOCHS, LR, DECAY = 64, 15, 1e-3, 0.05


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((n, T, F), dtype="float32")
    lengths = rng.integers(5, T + 1, size=n)
    rate = np.zeros(n)
    for i, length in enumerate(lengths):
        part = rng.normal(size=(length, F))
        x[i, :length] = part
        state = 0.0
        for row in part:
            state = 0.8 * state + 0.35 * np.tanh(row[0] + 0.5 * row[1])
        rate[i] = np.exp(0.6 + state)
    return x, rng.poisson(rate).astype("float32")[:, None]


x_train, y_train = make_data(1200, 40)
x_test, y_test = make_data(400, 41)

Wx = tf.Variable(keras.initializers.GlorotUniform(seed=100)((F, 3 * UNITS)))
Wh = tf.Variable(keras.initializers.Orthogonal(seed=101)((UNITS, 3 * UNITS)))
bx = tf.Variable(tf.zeros(3 * UNITS))
bh = tf.Variable(tf.zeros(3 * UNITS))
Wo = tf.Variable(keras.initializers.GlorotUniform(seed=102)((UNITS, 1)))
bo = tf.Variable(tf.zeros(1))
params = [Wx, Wh, bx, bh, Wo, bo]
momentum = [tf.Variable(tf.zeros_like(p)) for p in params]


def rates(x):
    real = tf.reduce_any(x != 0.0, axis=2)
    h = tf.zeros((tf.shape(x)[0], UNITS))
    for t in range(T):
        xz, xr, xc = tf.split(x[:, t] @ Wx + bx, 3, axis=1)
        hz, hr, hc = tf.split(h @ Wh + bh, 3, axis=1)
        update = tf.sigmoid(xz + hz)
        reset = tf.sigmoid(xr + hr)
        candidate = tf.tanh(xc + reset * hc)
        new = update * h + (1.0 - update) * candidate
        h = tf.where(real[:, t, None], new, h)
    return tf.exp(h @ Wo + bo)


def poisson(y, rate):
    return tf.reduce_mean(tf.nn.log_poisson_loss(y, rate))


@tf.function(reduce_retracing=True)
def step(x, y):
    with tf.GradientTape() as tape:
        loss = poisson(y, rates(x))
    grads = tape.gradient(loss, params)
    for p, m, g in zip(params, momentum, grads):
        p.assign(p - LR * DECAY * p)
        p.assign_sub(LR * tf.sign(0.9 * m + 0.1 * g))
        m.assign(0.99 * m + 0.01 * g)
    return loss


shuffle = np.random.default_rng(9)
history = []
for epoch in range(EPOCHS):
    perm = shuffle.permutation(len(x_train))
    total = 0.0
    for s in range(0, len(perm), BATCH):
        idx = perm[s:s + BATCH]
        total += float(step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    history.append(total / len(perm))
print("first and last epoch:", history[0], history[-1])
rate = rates(tf.constant(x_test))
print(f"test loss {float(poisson(y_test, rate)):.5f}")
print(f"correlation {np.corrcoef(rate.numpy()[:, 0], y_test[:, 0])[0, 1]:.4f}")
