"""Mixture of experts for delivery times. Stacked tensors and a GradientTape."""
import numpy as np
import tensorflow as tf
import keras


def make_deliveries(n=2300, seed=6):
    """Delivery times from ten facts; four kinds of routes behave differently, and some are delayed."""
    r = np.random.RandomState(seed)
    x = r.normal(size=(n, 10))
    route = (x[:, 0] > 0).astype(int) * 2 + (x[:, 1] > 0.3)
    w = r.normal(0, 0.6, (4, 10))
    y = (x * w[route]).sum(1) + np.array([0.5, -0.8, 1.2, -0.3])[route] + 0.15 * r.normal(size=n)
    late = r.uniform(size=n) < 0.05
    y[late] += r.exponential(3.0, late.sum())
    return x.astype("float32"), y.astype("float32")[:, None]


EXPERTS, HID = 4, 16
BATCH, EPOCHS, N_TRAIN = 50, 12, 1900
LR, WD, BALANCE, CLIP = 1.5e-2, 1e-3, 0.05, 1.0
STEPS = N_TRAIN // BATCH * EPOCHS

x, y = make_deliveries()
x_tr, y_tr, x_te, y_te = x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]

keras.utils.set_random_seed(1001)


def glorot(n_in, n_out, copies=None):
    lim = float(np.sqrt(6.0 / (n_in + n_out)))
    shape = (n_in, n_out) if copies is None else (copies, n_in, n_out)
    return tf.Variable(tf.random.uniform(shape, -lim, lim))


gate_w, gate_b = glorot(10, EXPERTS), tf.Variable(tf.zeros(EXPERTS))
in_w, in_b = glorot(10, HID, EXPERTS), tf.Variable(tf.zeros((EXPERTS, HID)))
out_w, out_b = glorot(HID, 1, EXPERTS), tf.Variable(tf.zeros((EXPERTS, 1)))
weights = [gate_w, gate_b, in_w, in_b, out_w, out_b]


def predict(x):
    g = tf.nn.softmax(x @ gate_w + gate_b)                                     # (B, E)
    hid = tf.nn.silu(tf.einsum("bi,eih->beh", x, in_w) + in_b)                 # (B, E, H)
    each = tf.einsum("beh,eho->beo", hid, out_w) + out_b                       # (B, E, 1)
    return tf.reduce_sum(g[:, :, None] * each, axis=1), g                      # (B, 1)


def huber(y, p):
    e = tf.abs(y - p)
    return tf.reduce_mean(tf.where(e <= 1.0, 0.5 * e * e, e - 0.5))


rate = keras.optimizers.schedules.CosineDecay(LR, decay_steps=STEPS, alpha=0.0)
opt = keras.optimizers.AdamW(learning_rate=rate, weight_decay=WD, beta_1=0.9, beta_2=0.99, epsilon=1e-7)
opt.build(weights)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        p, g = predict(x)
        balance = BALANCE * EXPERTS * tf.reduce_sum(tf.reduce_mean(g, axis=0) ** 2)
        total = huber(y, p) + balance
    grads, _ = tf.clip_by_global_norm(tape.gradient(total, weights), CLIP)
    opt.apply(grads, weights)
    return total


data = tf.data.Dataset.from_tensor_slices((x_tr, y_tr)).shuffle(N_TRAIN).batch(BATCH)
for epoch in range(EPOCHS):
    losses = [float(step(bx, by)) for bx, by in data]
    if epoch % 2 == 0:
        print(f"epoch {epoch + 1}: {np.mean(losses):.4f}")

p = predict(tf.constant(x_te))[0].numpy()
e = np.abs(p - y_te)
print(f"test huber {np.where(e <= 1, 0.5 * e * e, e - 0.5).mean():.4f}  median error {np.median(e):.4f}")
