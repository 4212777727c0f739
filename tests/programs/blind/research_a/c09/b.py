import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(1)

vocab, length, width, heads = 10, 20, 32, 2
depth = width // heads

rng = np.random.RandomState(6)
table = rng.permutation(vocab)
tokens = rng.randint(0, vocab, size=(1280, length + 1))
for i in range(3, length + 1):
    follow = rng.rand(1280) < 0.9
    tokens[:, i] = np.where(follow, table[tokens[:, i - 3]], tokens[:, i])
tokens = tokens.astype("int32")
train, test = tokens[:1024], tokens[1024:]


def normal(*shape, std):
    return tf.Variable(tf.random.normal(shape, stddev=std))


class TiedAttention(tf.Module):
    def __init__(self):
        super().__init__()
        self.emb = normal(vocab, width, std=0.3)      # used at both ends
        self.place = normal(length, width, std=0.3)
        self.q = normal(width, heads, depth, std=width ** -0.5)
        self.k = normal(width, heads, depth, std=width ** -0.5)
        self.v = normal(width, heads, depth, std=width ** -0.5)
        self.o = normal(heads, depth, width, std=width ** -0.5)
        self.g1, self.s1 = tf.Variable(tf.ones(width)), tf.Variable(tf.zeros(width))
        self.g2, self.s2 = tf.Variable(tf.ones(width)), tf.Variable(tf.zeros(width))
        self.w_up, self.b_up = normal(width, 2 * width, std=width ** -0.5), tf.Variable(tf.zeros(2 * width))
        self.w_down = normal(2 * width, width, std=(2 * width) ** -0.5)
        self.b_down = tf.Variable(tf.zeros(width))
        allowed = np.tril(np.ones((length, length)))
        self.mask = tf.constant(np.where(allowed, 0.0, -1e9), tf.float32)

    @staticmethod
    def norm(h, gain, shift):
        mean, var = tf.nn.moments(h, axes=[-1], keepdims=True)
        return (h - mean) * tf.math.rsqrt(var + 1e-5) * gain + shift

    def __call__(self, ids):
        h = tf.einsum("blv,ve->ble", tf.one_hot(ids, vocab), self.emb) + self.place
        a = self.norm(h, self.g1, self.s1)
        q = tf.einsum("ble,ehd->blhd", a, self.q)
        k = tf.einsum("ble,ehd->blhd", a, self.k)
        v = tf.einsum("ble,ehd->blhd", a, self.v)
        att = tf.nn.softmax(tf.einsum("blhd,bmhd->bhlm", q, k) / np.sqrt(depth) + self.mask)
        h = h + tf.einsum("blhd,hde->ble", tf.einsum("bhlm,bmhd->blhd", att, v), self.o)
        m = self.norm(h, self.g2, self.s2)
        h = h + tf.nn.gelu(m @ self.w_up + self.b_up, approximate=True) @ self.w_down + self.b_down
        return tf.einsum("ble,ve->blv", h, self.emb)


net = TiedAttention()
opt = tf.keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False)


def xent(seq, logits):
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=seq[:, 1:], logits=logits))


@tf.function
def train_step(seq):
    with tf.GradientTape() as tape:
        loss = xent(seq, net(seq[:, :-1]))
    weights = net.trainable_variables
    opt.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


# ---- training
for epoch in range(36):
    perm = np.random.permutation(1024)
    losses = [float(train_step(train[perm[i:i + 64]])) for i in range(0, 1024, 64)]
    if (epoch + 1) % 4 == 0:
        print("epoch %d loss %.4f" % (epoch + 1, np.mean(losses)))

logits = net(test[:, :-1])
acc = np.mean(logits.numpy().argmax(-1) == test[:, 1:])
print("test nll %.4f accuracy %.4f" % (float(xent(test, logits)), acc))
