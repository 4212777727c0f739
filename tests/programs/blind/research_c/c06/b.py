# Minimal gated unit written with tensors only (TensorFlow), RMSprop and clipping spelt out
import numpy as np
import tensorflow as tf

tf.random.set_seed(14)
T, HIDDEN, BATCH, EPOCHS = 18, 24, 40, 22
LR, RHO, EPS, MAX_NORM = 2e-3, 0.95, 1e-6, 0.5


def sequences(n, rng):
    x = rng.normal(size=(n, T, 2))
    y = np.zeros((n, T, 1))
    state = np.zeros(n)
    for t in range(T):
        gate = 1.0 / (1.0 + np.exp(-2.0 * x[:, t, 1]))
        state = gate * state + (1.0 - gate) * x[:, t, 0]
        y[:, t, 0] = state
    return x.astype(np.float32), y.astype(np.float32)


rng = np.random.default_rng(314)
x_train, y_train = sequences(700, rng)
x_test, y_test = sequences(200, rng)

glorot = tf.keras.initializers.GlorotUniform
orthogonal = tf.keras.initializers.Orthogonal
p = {
    "Wf": tf.Variable(glorot(seed=1)((2, HIDDEN))),
    "Uf": tf.Variable(orthogonal(seed=2)((HIDDEN, HIDDEN))),
    "bf": tf.Variable(tf.ones(HIDDEN)),
    "Wc": tf.Variable(glorot(seed=3)((2, HIDDEN))),
    "Uc": tf.Variable(orthogonal(seed=4)((HIDDEN, HIDDEN))),
    "bc": tf.Variable(tf.zeros(HIDDEN)),
    "Wo": tf.Variable(glorot(seed=5)((HIDDEN, 1))),
    "bo": tf.Variable(tf.zeros(1)),
}
names = sorted(p)
square_avg = {k: tf.Variable(tf.zeros_like(v)) for k, v in p.items()}


def forward(x):
    h = tf.zeros([tf.shape(x)[0], HIDDEN])
    states = []
    for t in range(T):
        xt = x[:, t, :]
        f = tf.sigmoid(xt @ p["Wf"] + h @ p["Uf"] + p["bf"])
        c = tf.tanh(xt @ p["Wc"] + (f * h) @ p["Uc"] + p["bc"])
        h = h + f * (c - h)
        states.append(h)
    return tf.einsum("bth,ho->bto", tf.stack(states, axis=1), p["Wo"]) + p["bo"]


def mse(x, y):
    return tf.reduce_mean(tf.square(forward(x) - y))


@tf.function(input_signature=[tf.TensorSpec([None, T, 2]), tf.TensorSpec([None, T, 1])])
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = mse(x, y)
    grads = tape.gradient(loss, [p[k] for k in names])
    total = tf.sqrt(tf.add_n([tf.reduce_sum(g * g) for g in grads]))
    factor = tf.minimum(1.0, MAX_NORM / (total + 1e-6))
    for k, g in zip(names, grads):
        g = factor * g
        square_avg[k].assign(RHO * square_avg[k] + (1.0 - RHO) * g * g)
        p[k].assign_sub(LR * g / (tf.sqrt(square_avg[k]) + EPS))
    return loss


print("test mse at start %.4f" % float(mse(x_test, y_test)))
batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train)).batch(BATCH)
for epoch in range(EPOCHS):
    for xb, yb in batches:
        train_step(xb, yb)
    if epoch % 7 == 0:
        print("epoch %d test mse %.4f" % (epoch, float(mse(x_test, y_test))))
print("test mse at end %.4f" % float(mse(x_test, y_test)))
