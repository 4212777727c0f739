"""LSTM cell written out by hand, sum of the two marked values of a sequence (TensorFlow)."""
import numpy as np
import tensorflow as tf
import keras

STEPS, HIDDEN = 16, 24


def marked_sequences(n=520, seed=19):
    rng = np.random.default_rng(seed)
    x = np.zeros((n, STEPS, 2))
    x[:, :, 0] = rng.uniform(-1, 1, size=(n, STEPS))
    rows = np.arange(n)
    first = rng.integers(0, 4, size=n)
    second = rng.integers(4, 10, size=n)
    x[rows, first, 1] = 1.0
    x[rows, second, 1] = 1.0
    y = x[rows, first, 0] + x[rows, second, 0]
    return x.astype("float32"), y[:, None].astype("float32")


def hard_sigmoid(x):
    return tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


tf.random.set_seed(4)
np.random.seed(4)
w = tf.Variable(tf.random.normal((2, 4 * HIDDEN), stddev=0.25))
u = tf.Variable(tf.random.normal((HIDDEN, 4 * HIDDEN), stddev=0.25))
bias = np.zeros(4 * HIDDEN, dtype="float32")
bias[HIDDEN:2 * HIDDEN] = 2.5
b = tf.Variable(bias)
w_out = tf.Variable(tf.random.normal((HIDDEN, 1), stddev=0.25))
b_out = tf.Variable(tf.zeros(1))
params = [w, u, b, w_out, b_out]


def forward(x):
    h = tf.zeros((tf.shape(x)[0], HIDDEN))
    c = tf.zeros((tf.shape(x)[0], HIDDEN))
    for t in range(STEPS):
        z = x[:, t] @ w + h @ u + b
        i, f, g, o = tf.split(z, 4, axis=1)
        c = hard_sigmoid(f) * c + hard_sigmoid(i) * tf.tanh(g)
        h = hard_sigmoid(o) * tf.tanh(c)
    return h @ w_out + b_out


opt = keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(forward(xb) - yb))
    opt.apply_gradients(zip(tape.gradient(loss, params), params))
    return loss


x, y = marked_sequences()
x_train, y_train, x_test, y_test = x[:400], y[:400], x[400:], y[400:]
for epoch in range(40):
    perm = np.random.permutation(400)
    total = 0.0
    for k in range(0, 400, 40):
        idx = perm[k:k + 40]
        total += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx])))
    print(f"epoch {epoch + 1} mse {total / 10:.5f}")

print("test mse", float(tf.reduce_mean(tf.square(forward(tf.constant(x_test)) - y_test))))
