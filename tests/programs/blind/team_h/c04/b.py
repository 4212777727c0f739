# Pairwise learning to rank with plain TensorFlow variables.
import math

import numpy as np
import tensorflow as tf

QUERIES, TEST_QUERIES, DOCS, FEATURES = 600, 200, 12, 20
BATCH, EPOCHS = 20, 8


def make_data():
    rng = np.random.RandomState(404)
    n = QUERIES + TEST_QUERIES
    x = rng.randn(n, DOCS, FEATURES)
    x[:, :, :5] += 0.8 * rng.randn(n, 1, 5)          # query features shared by its documents
    w = rng.randn(FEATURES)
    u = np.tanh(x @ w * 0.3) * 2 + 0.8 * x[..., 6] * x[..., 7] + 0.4 * rng.randn(n, DOCS)
    grade = np.digitize(u, [0.0, 1.0, 2.0])           # relevance 0..3
    size = rng.randint(5, DOCS + 1, size=n)
    mask = np.arange(DOCS)[None, :] < size[:, None]
    x = x * mask[..., None]
    grade = grade * mask
    parts = [x.astype("float32"), grade.astype("float32"), mask.astype("float32")]
    return [p[:QUERIES] for p in parts], [p[QUERIES:] for p in parts]


def ndcg(scores, grade, mask, k=5):
    out = []
    for s, g, m in zip(scores, grade, mask):
        keep = m > 0
        s, g = s[keep], 2.0 ** g[keep] - 1
        if g.sum() == 0:
            continue
        d = 1 / np.log2(np.arange(2, 2 + min(k, len(s))))
        got = (g[np.argsort(-s)][:k] * d).sum()
        out.append(got / (np.sort(g)[::-1][:k] * d).sum())
    return float(np.mean(out))


class Scorer(tf.Module):
    def __init__(self):
        super().__init__()

        def kernel(n_in, n_out, name):
            r = 1.0 / math.sqrt(n_in)
            return tf.Variable(tf.random.uniform((n_in, n_out), -r, r), name=name)

        self.w1 = kernel(FEATURES, 48, "w1")
        self.b1 = tf.Variable(tf.zeros(48), name="b1")
        self.gamma = tf.Variable(tf.ones(48), name="gamma")
        self.beta = tf.Variable(tf.zeros(48), name="beta")
        self.w2 = kernel(48, 24, "w2")
        self.b2 = tf.Variable(tf.zeros(24), name="b2")
        self.w3 = kernel(24, 1, "w3")

    def params(self):
        return [self.w1, self.b1, self.gamma, self.beta, self.w2, self.b2, self.w3]

    def __call__(self, x):
        h = tf.tensordot(x, self.w1, 1) + self.b1
        mean, var = tf.nn.moments(h, axes=[-1], keepdims=True)
        h = (h - mean) * tf.math.rsqrt(var + 1e-6) * self.gamma + self.beta
        h = tf.nn.gelu(h, approximate=False)
        h = tf.nn.tanh(tf.tensordot(h, self.w2, 1) + self.b2)
        return tf.tensordot(h, self.w3, 1)[..., 0]


def ranknet_loss(s, grade, mask):
    better = grade[:, :, None] - grade[:, None, :]
    valid = mask[:, :, None] * mask[:, None, :]
    weight = tf.nn.relu(better) * valid
    logistic = tf.nn.softplus(s[:, None, :] - s[:, :, None])
    return tf.reduce_sum(weight * logistic) / tf.reduce_sum(weight)


class Adagrad:
    def __init__(self, variables, lr=0.03, start=0.1, eps=1e-10):
        self.variables, self.lr, self.eps = variables, lr, eps
        self.acc = [tf.Variable(tf.fill(v.shape, start)) for v in variables]

    def apply(self, grads):
        for v, a, g in zip(self.variables, self.acc, grads):
            a.assign_add(tf.square(g))
            v.assign_sub(self.lr * g / (tf.sqrt(a) + self.eps))


def make_step(model, opt):
    @tf.function
    def step(x, g, m):
        with tf.GradientTape() as tape:
            loss = ranknet_loss(model(x), g, m)
        opt.apply(tape.gradient(loss, model.params()))
        return loss
    return step


def main():
    tf.random.set_seed(900)
    order_rng = np.random.default_rng(900)
    train, test = make_data()
    model = Scorer()
    step = make_step(model, Adagrad(model.params()))
    print("parameters:", sum(int(tf.size(v)) for v in model.params()))
    for epoch in range(1, EPOCHS + 1):
        order = order_rng.permutation(QUERIES)
        losses = [float(step(*(a[order[i:i + BATCH]] for a in train)))
                  for i in range(0, QUERIES, BATCH)]
        s = model(tf.constant(test[0]))
        tl = float(ranknet_loss(s, test[1], test[2]))
        print(f"{epoch}: loss {np.mean(losses):.4f} test {tl:.4f} "
              f"ndcg@5 {ndcg(s.numpy(), test[1], test[2]):.4f}")


if __name__ == "__main__":
    main()
