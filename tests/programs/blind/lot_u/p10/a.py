import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

T, H, BATCH, EPOCHS = 12, 16, 128, 60


def sequences(n, seed):
    rng = np.random.default_rng(seed)
    period = np.linspace(14.0, 3.0, n)[:, None]           # recorded while the drive speeds up
    t = rng.uniform(0, 2 * np.pi, (n, 1)) + 2 * np.pi * np.arange(T + 1) / period
    s = np.sin(t) + 0.05 * rng.standard_normal((n, T + 1))
    return s[:, :T].astype("float32"), s[:, T:].astype("float32")


X, y = sequences(330, 14)
Xv, yv = sequences(200, 15)
tf.random.set_seed(8)


def glorot(i, o):
    lim = np.sqrt(6.0 / (i + o))
    return tf.Variable(tf.random.uniform((i, o), -lim, lim))


Wx, Wh, bh = glorot(1, H), glorot(H, H), tf.Variable(tf.zeros(H))
Wo, bo = glorot(H, 1), tf.Variable(tf.zeros(1))
weights = [Wx, Wh, bh, Wo, bo]


def rnn(x):
    h = tf.zeros((tf.shape(x)[0], H))
    for t in range(T):
        h = tf.tanh(x[:, t:t + 1] @ Wx + h @ Wh + bh)
    return h @ Wo + bo


opt = keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(weights)


@tf.function(reduce_retracing=True)
def step(bx, by):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(rnn(bx) - by))
    opt.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


for epoch in range(1, EPOCHS + 1):
    ls = []
    for i in range(len(X) // BATCH):
        sl = slice(i * BATCH, (i + 1) * BATCH)
        ls.append(float(step(tf.constant(X[sl]), tf.constant(y[sl]))))
    if epoch % 5 == 0:
        print(f"epoch {epoch} train {np.mean(ls):.4f} valid {np.mean((rnn(Xv).numpy() - yv) ** 2):.4f}")
