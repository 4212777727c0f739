"""Tagging of token sequences of unequal length with a bidirectional LSTM: Keras layers, own loop."""
import numpy as np
import tensorflow as tf
import keras


VOCAB, TAGS, T_MAX, EMB, HID = 40, 4, 14, 12, 16
BATCH, EPOCHS, CLIP = 40, 10, 1.0


def learning_rate(step):
    return 1.5 / (1.0 + 0.005 * step)


def make_data(n, seed):
    """Token 0 is padding.  A tag depends on the word's class and on its neighbours."""
    rng = np.random.RandomState(seed)
    x = np.zeros((n, T_MAX), dtype="int64")
    y = np.zeros((n, T_MAX), dtype="int64")
    length = rng.randint(5, T_MAX + 1, n)
    for i, m in enumerate(length):
        w = rng.randint(1, VOCAB, m)
        c = w % 3
        before = np.r_[0, c[:-1]]
        after = np.r_[c[1:], 0]
        y[i, :m] = np.where(c == 0, 0, np.where(c == 1, 1 + (before == 2), 1 + 2 * (after == 0)))
        x[i, :m] = w
    return x, y, length.astype("int64")


x_tr, y_tr, len_tr = make_data(1200, 60)
x_te, y_te, len_te = make_data(400, 61)

keras.utils.set_random_seed(15)


class Tagger(keras.Model):
    def __init__(self):
        super().__init__()
        self.emb = keras.layers.Embedding(
            VOCAB, EMB, embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5))
        self.lstm = keras.layers.Bidirectional(keras.layers.LSTM(HID, return_sequences=True))
        self.head = keras.layers.Dense(TAGS)

    def call(self, x):
        mask = tf.not_equal(x, 0)
        return self.head(self.lstm(self.emb(x), mask=mask))


model = Tagger()
model(tf.constant(x_tr[:2]))
optimizer = keras.optimizers.SGD(learning_rate=learning_rate(0), momentum=0.0)
optimizer.build(model.trainable_variables)


def masked_loss(y, logits, mask):
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    mask = tf.cast(mask, tf.float32)
    return tf.reduce_mean(ce * mask)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = masked_loss(y, model(x, training=True), x > 0)
    grads = tape.gradient(loss, model.trainable_variables)
    grads = [tf.convert_to_tensor(g) for g in grads]     # the embedding's slices summed first
    grads, _ = tf.clip_by_global_norm(grads, CLIP)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


order = np.random.RandomState(15)

# training
step = 0
for epoch in range(EPOCHS):
    perm = order.permutation(len(x_tr))
    run = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        optimizer.learning_rate.assign(learning_rate(step))
        run += float(train_step(tf.constant(x_tr[idx]), tf.constant(y_tr[idx]))) * len(idx)
        step += 1
    print(f"epoch {epoch + 1}: loss {run / len(x_tr):.4f}")

pred = model(tf.constant(x_te), training=False).numpy().argmax(-1)
real = x_te > 0
print(f"test token accuracy {(pred == y_te)[real].mean():.4f}"
      f"  sentence accuracy {((pred == y_te) | ~real).all(1).mean():.4f}")
