"""Two-tower retrieval, bags of words, in-batch negatives: TensorFlow variables and GradientTape."""
import math
import numpy as np
import tensorflow as tf
import keras

N_QUERY_WORDS, N_DOC_WORDS, HIDDEN, DIM = 120, 150, 32, 16
BATCH, EPOCHS = 64, 8


def make_data(n=2880):
    rng = np.random.default_rng(404)
    topics = 12
    wq = rng.dirichlet(np.full(N_QUERY_WORDS, 0.1), topics)
    wd = rng.dirichlet(np.full(N_DOC_WORDS, 0.1), topics)
    theta = rng.dirichlet(np.full(topics, 0.25), n)
    q = np.stack([rng.multinomial(12, p) for p in theta @ wq]).astype("float32")
    d = np.stack([rng.multinomial(40, p) for p in theta @ wd]).astype("float32")
    q, d = np.log1p(q), np.log1p(d)
    return (q[:2560], d[:2560]), (q[2560:], d[2560:])


class Tower:
    def __init__(self, n_in):
        def glorot(fi, fo):
            limit = math.sqrt(6.0 / (fi + fo))
            return tf.Variable(tf.random.uniform((fi, fo), -limit, limit))
        self.w1, self.b1 = glorot(n_in, HIDDEN), tf.Variable(tf.zeros(HIDDEN))
        self.w2, self.b2 = glorot(HIDDEN, DIM), tf.Variable(tf.zeros(DIM))
        self.variables = [self.w1, self.b1, self.w2, self.b2]

    def __call__(self, x):
        h = tf.nn.relu(x @ self.w1 + self.b1)
        return tf.math.l2_normalize(h @ self.w2 + self.b2, axis=1)


def contrastive(q, d):
    logits = tf.matmul(q, d, transpose_b=True) / 0.1
    target = tf.range(tf.shape(q)[0])
    rows = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
    cols = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=tf.transpose(logits))
    return (tf.reduce_mean(rows) + tf.reduce_mean(cols)) / 2.0


def main():
    tf.random.set_seed(20)
    (q, d), (qt, dt) = make_data()
    query, doc = Tower(N_QUERY_WORDS), Tower(N_DOC_WORDS)
    variables = query.variables + doc.variables
    optimizer = keras.optimizers.RMSprop(learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False)
    optimizer.build(variables)

    @tf.function
    def train_step(bq, bd):
        with tf.GradientTape() as tape:
            loss = contrastive(query(bq), doc(bd))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    data = tf.data.Dataset.from_tensor_slices((q, d)).shuffle(len(q), seed=20, reshuffle_each_iteration=True).batch(BATCH)
    for epoch in range(EPOCHS):
        losses = [float(train_step(bq, bd)) for bq, bd in data]
        print("epoch %d loss %.4f" % (epoch + 1, np.mean(losses)))

    sim = (query(qt) @ tf.transpose(doc(dt))).numpy()
    rank = (sim > np.diag(sim)[:, None]).sum(1)
    print("test recall@1 %.3f recall@10 %.3f MRR %.3f" % ((rank < 1).mean(), (rank < 10).mean(), (1 / (rank + 1)).mean()))


if __name__ == "__main__":
    main()
