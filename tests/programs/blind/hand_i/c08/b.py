"""Token tagging with padded sentences in plain TensorFlow: table lookup, the window of three
words, the masked loss and Nesterov's update with decay, written out."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

VOCAB, TAGS, LENGTH, EMB, HIDDEN = 25, 3, 14, 12, 32
BATCH, EPOCHS, LR, MOMENTUM, DECAY = 32, 16, 0.1, 0.9, 2e-4


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    tokens = np.zeros((n, LENGTH), dtype="int64")
    tags = np.full((n, LENGTH), -100, dtype="int64")
    for i in range(n):
        k = rng.randint(5, LENGTH + 1)
        tokens[i, :k] = rng.randint(1, VOCAB, size=k)
        for t in range(k):
            tag = tokens[i, t] % TAGS
            if t > 0 and tokens[i, t - 1] <= 8:
                tag = (tag + 1) % TAGS
            tags[i, t] = tag
    return tokens, tags


class Tagger(tf.Module):
    def __init__(self, seed):
        super().__init__()
        rng = np.random.default_rng(seed)

        def uniform(bound, shape):
            return tf.Variable(rng.uniform(-bound, bound, shape), dtype=tf.float32)

        table = rng.normal(0.0, 0.5, (VOCAB, EMB))
        table[0] = 0.0
        self.table = tf.Variable(table, dtype=tf.float32)
        self.window = uniform(np.sqrt(6.0 / (3 * EMB + 3 * HIDDEN)), (3 * EMB, HIDDEN))
        self.window_bias = tf.Variable(tf.zeros(HIDDEN))
        self.out = uniform(np.sqrt(6.0 / (HIDDEN + TAGS)), (HIDDEN, TAGS))
        self.out_bias = tf.Variable(tf.zeros(TAGS))
        self.weights = [self.table, self.window, self.window_bias, self.out, self.out_bias]
        self.buffers = [tf.Variable(tf.zeros_like(w)) for w in self.weights]

    def __call__(self, tokens):
        real = tf.cast(tokens != 0, tf.float32)[:, :, None]
        h = tf.matmul(tf.one_hot(tokens, VOCAB), self.table) * real  # padding stays zero
        padded = tf.pad(h, [[0, 0], [1, 1], [0, 0]])
        triples = tf.concat([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], axis=-1)
        h = tf.nn.relu(tf.matmul(triples, self.window) + self.window_bias)
        return tf.matmul(h, self.out) + self.out_bias


def masked_loss(logits, tags):
    real = tf.cast(tags >= 0, tf.float32)
    hot = tf.one_hot(tags, TAGS)  # a row of zeros where the tag is -100
    logp = logits - tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
    return -tf.reduce_sum(hot * logp) / tf.reduce_sum(real)


def main():
    tokens, tags = make_data(900, 50)
    tokens_t, tags_t = make_data(300, 51)
    model = Tagger(seed=14)
    print("weights:", sum(int(tf.size(w)) for w in model.weights))

    @tf.function(reduce_retracing=True)
    def step(xb, yb):
        with tf.GradientTape() as tape:
            loss = masked_loss(model(xb), yb)
        grads = tape.gradient(loss, model.weights)
        for w, buf, g in zip(model.weights, model.buffers, grads):
            g = g + DECAY * w
            buf.assign(MOMENTUM * buf + g)
            w.assign_sub(LR * (g + MOMENTUM * buf))
        return loss

    order_rng = np.random.default_rng(15)
    for epoch in range(EPOCHS):
        order = order_rng.permutation(len(tokens))
        total = 0.0
        for s in range(0, len(tokens), BATCH):
            idx = order[s:s + BATCH]
            total += float(step(tf.constant(tokens[idx]), tf.constant(tags[idx]))) * len(idx)
        print(f"epoch {epoch + 1:2d}  loss {total / len(tokens):.4f}")
    logits = model(tf.constant(tokens_t))
    loss = float(masked_loss(logits, tf.constant(tags_t)))
    real = tags_t != -100
    acc = (np.argmax(logits.numpy(), axis=-1) == tags_t)[real].mean()
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
