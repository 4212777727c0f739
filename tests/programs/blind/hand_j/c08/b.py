import numpy as np
import tensorflow as tf

VOCAB, TAGS, MAXLEN = 50, 5, 18
EMB, HID = 16, 40
BATCH, EPOCHS, LR, MOMENTUM, DECAY = 25, 20, 0.1, 0.9, 2e-4


def make_sentences(n, rng):
    """Words 1..VOCAB-1, 0 is padding; a tag depends on the word's class and its left neighbour's."""
    classes = np.random.default_rng(1234).integers(0, 4, size=VOCAB)
    words = np.zeros((n, MAXLEN), "int64")
    tags = np.full((n, MAXLEN), -100, "int64")
    for k in range(n):
        m = rng.integers(5, MAXLEN + 1)
        w = rng.integers(1, VOCAB, size=m)
        c = classes[w]
        left = np.concatenate([[0], c[:-1]])
        tag = np.where((c == 3) & (left % 2 == 1), 4, c)
        words[k, :m] = w
        tags[k, :m] = np.where(rng.random(m) < 0.03, rng.integers(0, TAGS, size=m), tag)
    return words, tags


def uniform(shape, limit):
    return tf.random.uniform(shape, -limit, limit)


class Tagger(tf.Module):
    def __init__(self):
        super().__init__()
        self.table = tf.Variable(tf.random.normal([VOCAB, EMB], stddev=0.3))
        self.kernel = tf.Variable(uniform([3, EMB, HID], (6.0 / (3 * EMB + 3 * HID)) ** 0.5))
        self.kernel_bias = tf.Variable(tf.zeros([HID]))
        self.proj = tf.Variable(uniform([HID, TAGS], (6.0 / (HID + TAGS)) ** 0.5))
        self.proj_bias = tf.Variable(tf.zeros([TAGS]))
        self.weights = [self.table, self.kernel, self.kernel_bias, self.proj, self.proj_bias]
        self.buffers = [tf.Variable(tf.zeros_like(w), trainable=False) for w in self.weights]

    def __call__(self, words):
        h = tf.gather(self.table, words)
        # window of three words, zeros outside the sentence matrix
        left = tf.pad(h, [[0, 0], [1, 0], [0, 0]])[:, :-1]
        right = tf.pad(h, [[0, 0], [0, 1], [0, 0]])[:, 1:]
        h = left @ self.kernel[0] + h @ self.kernel[1] + right @ self.kernel[2] + self.kernel_bias
        return tf.nn.elu(h) @ self.proj + self.proj_bias


def masked_loss(logits, tags):
    valid = tf.cast(tags >= 0, tf.float32)
    onehot = tf.one_hot(tags, TAGS)                      # all zero where the tag is -100
    ll = tf.reduce_sum(onehot * logits, -1) - tf.reduce_logsumexp(logits, -1)
    return -tf.reduce_sum(valid * ll) / tf.reduce_sum(valid)


def make_step(model):
    @tf.function
    def step(words, tags):
        with tf.GradientTape() as tape:
            loss = masked_loss(model(words), tags)
        grads = tape.gradient(loss, model.weights)
        for w, buf, g in zip(model.weights, model.buffers, grads):
            g = tf.convert_to_tensor(g) + DECAY * w
            buf.assign(MOMENTUM * buf + g)
            w.assign_sub(LR * buf)
        return loss
    return step


def main():
    rng = np.random.default_rng(40)
    words, tags = make_sentences(500, rng)
    test_words, test_tags = make_sentences(200, rng)

    tf.random.set_seed(14)
    shuffler = np.random.default_rng(14)
    model = Tagger()
    step = make_step(model)
    for epoch in range(EPOCHS):
        order = shuffler.permutation(len(words))
        losses = []
        for i in range(0, len(words), BATCH):
            idx = order[i:i + BATCH]
            losses.append(float(step(tf.constant(words[idx]), tf.constant(tags[idx]))))
        print(f"epoch {epoch + 1}: mean batch loss {np.mean(losses):.4f}")

    logits = model(tf.constant(test_words))
    loss = float(masked_loss(logits, tf.constant(test_tags)))
    valid = test_tags != -100
    acc = np.mean((logits.numpy().argmax(-1) == test_tags)[valid])
    print(f"test loss {loss:.4f} token acc {acc:.4f}")


if __name__ == "__main__":
    main()
