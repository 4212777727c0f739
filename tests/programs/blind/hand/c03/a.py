"""Sentiment-like toy task on padded token ids, one self-attention block, Keras fit."""
import numpy as np
import keras
from keras import layers, ops

keras.utils.set_random_seed(21)

VOCAB, LENGTH, DIM, HEADS = 40, 12, 24, 3


def make_data(n, rng):
    score = np.random.default_rng(7).permutation(np.linspace(-1.5, 1.5, VOCAB))
    ids = rng.integers(1, VOCAB, size=(n, LENGTH))
    lengths = rng.integers(4, LENGTH + 1, size=n)
    inside = np.arange(LENGTH)[None, :] < lengths[:, None]
    ids = np.where(inside, ids, 0)
    weight = np.linspace(0.5, 1.5, LENGTH)[None, :] * inside
    total = (score[ids] * weight).sum(1)
    return ids.astype("int32"), (total > 0).astype("float32")[:, None]


rng = np.random.default_rng(2024)
x_train, y_train = make_data(2000, rng)
x_test, y_test = make_data(500, rng)


def positional_table():
    pos = np.arange(LENGTH)[:, None]
    i = np.arange(DIM)[None, :]
    angle = pos / np.power(10000.0, 2 * (i // 2) / DIM)
    return np.where(i % 2 == 0, np.sin(angle), np.cos(angle)).astype("float32")


PE = positional_table()

ids = keras.Input((LENGTH,), dtype="int32")
valid = layers.Lambda(lambda t: ops.cast(ops.not_equal(t, 0), "float32"), output_shape=(LENGTH,))(ids)
h = layers.Embedding(VOCAB, DIM, embeddings_initializer=keras.initializers.RandomNormal(0.0, 0.7))(ids)
h = layers.Lambda(lambda t: t + PE, output_shape=(LENGTH, DIM))(h)
pair_mask = layers.Lambda(lambda t: ops.expand_dims(t, 1) > 0.5, output_shape=(1, LENGTH))(valid)
att = layers.MultiHeadAttention(HEADS, DIM // HEADS)(h, h, attention_mask=pair_mask)
h = layers.Add()([h, att])
pooled = layers.Lambda(
    lambda t: ops.sum(t[0] * ops.expand_dims(t[1], -1), axis=1) / ops.sum(t[1], axis=1, keepdims=True),
    output_shape=(DIM,),
)([h, valid])
z = layers.Dense(16, activation="tanh")(pooled)
logit = layers.Dense(1)(z)
model = keras.Model(ids, logit)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
)
history = model.fit(x_train, y_train, batch_size=50, epochs=14, shuffle=True, verbose=0)
print("train loss", " ".join(f"{v:.4f}" for v in history.history["loss"]))
loss, acc = model.evaluate(x_test, y_test, batch_size=50, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
