# Tag every token of a sequence: is it inside or outside a bracketed span?
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(6)

VOCAB, MAXLEN, EMB, UNITS = 12, 14, 16, 32


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    tokens = np.zeros((n, MAXLEN), dtype="int64")
    tags = np.full((n, MAXLEN), -100, dtype="int64")
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        depth = 0
        for j in range(length):
            tok = rng.integers(3, VOCAB)
            if rng.random() < 0.3:
                tok = 2 if depth else 1
            depth = {1: 1, 2: 0}.get(int(tok), depth)
            tokens[i, j] = tok
            tags[i, j] = 2 if tok < 3 else depth
    return tokens, tags


x_train, y_train = make_data(1000, 0)
x_test, y_test = make_data(300, 1)

model = keras.Sequential([
    keras.Input((MAXLEN,), dtype="int32"),
    layers.Embedding(VOCAB, EMB, embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05)),
    layers.GRU(UNITS, return_sequences=True, reset_after=True),
    layers.Dense(3),
])
opt = keras.optimizers.SGD(learning_rate=0.5)


def masked_loss(tags, logits):
    keep = tf.cast(tags >= 0, tf.float32)
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.maximum(tags, 0), logits=logits)
    return tf.reduce_sum(ce * keep) / tf.reduce_sum(keep)


@tf.function
def update(tokens, tags):
    with tf.GradientTape() as tape:
        loss = masked_loss(tags, model(tokens, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return loss


shuffler = np.random.default_rng(6)
for epoch in range(16):
    order = shuffler.permutation(len(x_train))
    seen = []
    for k in range(0, len(order), 40):
        rows = order[k:k + 40]
        seen.append(float(update(tf.constant(x_train[rows]), tf.constant(y_train[rows]))))
    print("epoch", epoch, "loss", round(float(np.mean(seen)), 4))

logits = model(x_test, training=False)
real = y_test >= 0
print("test loss", float(masked_loss(tf.constant(y_test), logits)))
print("test accuracy", float(np.mean((np.argmax(logits, -1) == y_test)[real])))
