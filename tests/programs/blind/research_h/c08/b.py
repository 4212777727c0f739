"""Recurrent mixture-density network in TensorFlow: tf.Module, Python loop over time, plain SGD."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(29)

T, H, K = 12, 24, 3
BATCH, EPOCHS = 64, 24

rng = np.random.RandomState(6)
n = 1000
phase, freq = rng.uniform(0, 2 * np.pi, (n, 1)), rng.uniform(0.3, 0.8, (n, 1))
steps = np.arange(T)[None, :]
seq = np.sin(phase + freq * steps) + 0.05 * rng.randn(n, T)
nxt = np.sin(phase[:, 0] + freq[:, 0] * (T + 1))
sign = rng.choice([-1.0, 1.0], size=n)
seq = seq[:, :, None].astype(np.float32)
tgt = (nxt + 0.7 * sign + 0.05 * rng.randn(n)).astype(np.float32)
x_tr, y_tr, x_te, y_te = seq[:800], tgt[:800], seq[800:], tgt[800:]


def matrix(rows, cols):
    return tf.Variable(tf.random.normal((rows, cols), stddev=rows ** -0.5))


class Cell(tf.Module):
    def __init__(self):
        super().__init__()
        self.gate_w, self.gate_b = matrix(1 + H, H), tf.Variable(tf.zeros([H]))
        self.cand_w, self.cand_b = matrix(1 + H, H), tf.Variable(tf.zeros([H]))

    def __call__(self, x, h):
        xh = tf.concat([x, h], axis=-1)
        z = tf.sigmoid(tf.matmul(xh, self.gate_w) + self.gate_b)
        c = tf.tanh(tf.matmul(xh, self.cand_w) + self.cand_b)
        return h + z * (c - h)


class MixtureNet(tf.Module):
    def __init__(self):
        super().__init__()
        self.cell = Cell()
        self.query, self.key = matrix(H, H), matrix(H, H)
        self.head_w, self.head_b = matrix(2 * H, 3 * K), tf.Variable(tf.zeros([3 * K]))

    def __call__(self, x):
        h = tf.zeros((tf.shape(x)[0], H))
        memory = []
        for t in range(T):
            h = self.cell(x[:, t, :], h)
            memory.append(h)
        memory = tf.stack(memory, axis=1)
        q = tf.einsum("bi,ij->bj", h, self.query)
        k = tf.einsum("bti,ij->btj", memory, self.key)
        weights = tf.nn.softmax(tf.einsum("bj,btj->bt", q, k) / np.sqrt(H).astype("float32"), axis=-1)
        context = tf.einsum("bt,bti->bi", weights, memory)
        return tf.concat([h, context], axis=1) @ self.head_w + self.head_b


def negative_log_likelihood(out, y):
    logit, mu, raw = tf.split(out, 3, axis=1)
    sigma = tf.math.softplus(raw) + 0.05
    log_normal = (-0.5 * tf.square((y[:, None] - mu) / sigma) - tf.math.log(sigma)
                  - 0.5 * np.log(2 * np.pi).astype("float32"))
    mix = tf.reduce_logsumexp(tf.nn.log_softmax(logit, axis=1) + log_normal, axis=1)
    return -tf.reduce_mean(mix)


net = MixtureNet()
lr = tf.Variable(0.4)


@tf.function
def sgd_step(x, y):
    with tf.GradientTape() as tape:
        loss = negative_log_likelihood(net(x), y)
    variables = net.trainable_variables
    grads, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 0.4)
    for v, g in zip(variables, grads):
        v.assign_sub(lr * g)
    return loss


batches = tf.data.Dataset.from_tensor_slices((x_tr, y_tr)).shuffle(800).batch(BATCH)
for epoch in range(EPOCHS):
    if epoch == 16:
        lr.assign(0.1)
    total = 0.0
    for x, y in batches:
        total += float(sgd_step(x, y)) * x.shape[0]
    print(f"epoch {epoch + 1:2d}  nll {total / 800:.4f}")

print(f"test nll {float(negative_log_likelihood(net(tf.constant(x_te)), y_te)):.4f}")
