import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(12)
keras.mixed_precision.set_global_policy("mixed_bfloat16")

VOCAB, MAXLEN = 40, 14


def make_corpus(n):
    rng = np.random.default_rng(100)
    ids = np.zeros((n, MAXLEN), dtype=np.int32)
    label = rng.integers(0, 2, n)
    for i in range(n):
        length = rng.integers(5, MAXLEN + 1)
        words = rng.integers(1, VOCAB, length)
        marked = rng.random(length) < 0.35
        words[marked] = rng.integers(1, 8, marked.sum()) + (7 if label[i] else 0)
        ids[i, :length] = words
    return ids, label.astype(np.float32)[:, None]


ids, label = make_corpus(1200)
train_ids, train_y, test_ids, test_y = ids[:960], label[:960], ids[960:], label[960:]

tokens = keras.Input((MAXLEN,), dtype="int32")
keep = keras.Input((MAXLEN,), dtype="float32")
emb = layers.Embedding(VOCAB, 16, embeddings_initializer=keras.initializers.RandomUniform(-0.3, 0.3))(tokens)
att = layers.MultiHeadAttention(num_heads=2, key_dim=8)(
    emb, emb, attention_mask=layers.Reshape((1, MAXLEN))(keep))
h = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([emb, att]))
w = layers.Reshape((MAXLEN, 1))(keep)
pooled = keras.ops.sum(h * w, axis=1) / keras.ops.sum(w, axis=1)
hidden = layers.Dense(16, activation="relu")(pooled)
model = keras.Model([tokens, keep], layers.Dense(1)(hidden))

opt = keras.optimizers.SGD(learning_rate=0.1, momentum=0.9)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step(tok, y):
    mask = tf.cast(tok > 0, tf.float32)
    with tf.GradientTape() as tape:
        loss = bce(y, model([tok, mask], training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))


ds = tf.data.Dataset.from_tensor_slices((train_ids, train_y)).shuffle(960).batch(32)
for epoch in range(15):
    for tok, y in ds:
        train_step(tok, y)

logits = model([test_ids, (test_ids > 0).astype("float32")], training=False).numpy()
print("bce %.4f acc %.4f" % (float(bce(test_y, logits)), np.mean((logits > 0) == (test_y > 0.5))))
