"""Tagging padded token sequences: Keras layers, GradientTape; masked loss, decay and momentum by hand."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(15)
VOCAB, TAGS, T = 20, 4, 16
LR, MU, WD, BATCH = 0.15, 0.9, 1e-4, 32


def make_data(n=1000, seed=2):
    rng = np.random.default_rng(seed)
    length = rng.integers(6, T + 1, n)
    tok = rng.integers(1, VOCAB, (n, T))
    prev = np.concatenate([np.zeros((n, 1), int), tok[:, :-1]], 1)
    tag = np.where(prev % 3 == 0, tok % TAGS, (tok // 5) % TAGS)
    pad = np.arange(T)[None, :] >= length[:, None]
    tok[pad] = 0
    tag[pad] = -100
    return tok.astype("int64"), tag.astype("int64")


tok, tag = make_data()
train_tok, train_tag, test_tok, test_tag = tok[:800], tag[:800], tok[800:], tag[800:]

model = keras.Sequential([
    layers.Input((T,), dtype="int64"),
    layers.Embedding(VOCAB, 12, mask_zero=False,
                     embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5)),
    layers.Conv1D(32, 3, padding="causal", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(TAGS, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
params = model.trainable_variables
buffers = [tf.Variable(tf.zeros_like(p), trainable=False) for p in params]


def masked_loss(logits, tags):
    valid = tf.cast(tags >= 0, tf.float32)
    logp = tf.nn.log_softmax(logits, axis=-1)
    picked = tf.gather(logp, tf.maximum(tags, 0), batch_dims=2)
    return -tf.reduce_sum(picked * valid) / tf.reduce_sum(valid)


@tf.function
def train_step(ids, tags, lr):
    with tf.GradientTape() as tape:
        loss = masked_loss(model(ids, training=True), tags)
    for p, buf, g in zip(params, buffers, tape.gradient(loss, params)):
        d = tf.convert_to_tensor(g) + WD * p
        buf.assign(MU * buf + d)
        p.assign_sub(lr * buf)
    return loss


rng = np.random.default_rng(150)
for epoch in range(12):
    lr = tf.constant(LR * 0.3 ** (epoch // 8), tf.float32)
    order = rng.permutation(len(train_tok))
    losses = []
    for s in range(0, len(order), BATCH):
        idx = order[s:s + BATCH]
        losses.append(float(train_step(tf.constant(train_tok[idx]), tf.constant(train_tag[idx]), lr)))
    print(f"epoch {epoch}: {np.mean(losses):.4f}")

logits = model(test_tok, training=False)
valid = test_tag >= 0
acc = (logits.numpy().argmax(-1) == test_tag)[valid].mean()
print(f"test loss {float(masked_loss(logits, test_tag)):.4f}  tag accuracy {acc:.4f}")
