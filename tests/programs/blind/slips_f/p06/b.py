import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

VOCAB, MAXLEN, DIM = 60, 14, 12


def corpus():
    rng = np.random.default_rng(71)
    tone = rng.normal(size=VOCAB)
    ids = np.zeros((1500, MAXLEN), dtype="int64")
    label = np.zeros(1500, dtype="float32")
    for i in range(1500):
        k = rng.integers(4, MAXLEN + 1)
        words = rng.integers(1, VOCAB, size=k)
        ids[i, :k] = words
        label[i] = float(tone[words].mean() + 0.05 * rng.normal() > tone[1:].mean())
    return ids[:1200], label[:1200], ids[1200:], label[1200:]


class MaskedMean(layers.Layer):
    def call(self, vectors, ids):
        mask = ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), -1)
        return ops.sum(vectors * mask, axis=1) / ops.sum(mask, axis=1)


ids, lab, ids_t, lab_t = corpus()
keras.utils.set_random_seed(3)

tokens = keras.Input((MAXLEN,), dtype="int64")
e = layers.Embedding(VOCAB, DIM, embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05, seed=1))(tokens)
h = MaskedMean()(e, tokens)
h = layers.Dense(16, activation="tanh")(h)
model = keras.Model(tokens, layers.Dense(1)(h))
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=1.0),
    loss=keras.losses.BinaryCrossentropy(),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
data = tf.data.Dataset.from_tensor_slices((ids, lab[:, None])).shuffle(len(ids), seed=3, reshuffle_each_iteration=True).batch(40)
hist = model.fit(data, epochs=16, verbose=0)
for epoch, v in enumerate(hist.history["loss"]):
    print(epoch, "%.4f" % v)
loss, acc = model.evaluate(ids_t, lab_t[:, None], verbose=0)
print("test loss %.4f" % loss, "acc %.4f" % acc)
