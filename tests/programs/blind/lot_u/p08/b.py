import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

LAM, LR, STEPS = 2e-2, 0.01, 200


def graph(n=180, k=3, d=24, seed=12):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    p = np.where(y[:, None] == y[None], 0.07, 0.02)
    a = np.triu(rng.random((n, n)) < p, 1).astype("float64")
    a = a + a.T + np.eye(n)
    s = a.sum(1) ** -0.5
    x = rng.standard_normal((n, d)) + 0.5 * rng.standard_normal((k, d))[y]
    lab = rng.permutation(n)[:45]
    mask = np.zeros(n, bool)
    mask[lab] = True
    return (s[:, None] * a * s[None]).astype("float32"), x.astype("float32"), y, mask


A, X, Y, mask = graph()
tf.random.set_seed(17)


def glorot(i, o):
    lim = np.sqrt(6.0 / (i + o))
    return tf.Variable(tf.random.uniform((i, o), -lim, lim))


w0, b0 = glorot(X.shape[1], 16), tf.Variable(tf.zeros(16))
w1, b1 = glorot(16, 3), tf.Variable(tf.zeros(3))
params = [w0, b0, w1, b1]
At, Xt = tf.constant(A), tf.constant(X)


def gcn():
    h = tf.nn.relu(At @ (Xt @ w0) + b0)
    return At @ (h @ w1) + b1


def cross_entropy(z, m):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=Y[m], logits=tf.boolean_mask(z, m)))


opt = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(params)


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        ce = cross_entropy(gcn(), mask)
        loss = ce + LAM * (tf.nn.l2_loss(w0) + tf.nn.l2_loss(w1))
    opt.apply_gradients(zip(tape.gradient(loss, params), params))
    return ce


for step in range(1, STEPS + 1):
    ce = train_step()
    if step % 20 == 0:
        z = gcn()
        acc = np.mean(z.numpy().argmax(1)[~mask] == Y[~mask])
        print(f"step {step} ce {float(ce):.4f} test ce {float(cross_entropy(z, ~mask)):.4f} acc {acc:.3f}")
