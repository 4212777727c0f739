import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

keras.utils.set_random_seed(8)

VOCAB, MAXLEN, DIM = 60, 24, 12


def documents(n, seed):
    rng = np.random.default_rng(seed)
    sentiment = np.random.default_rng(99).normal(size=VOCAB)
    docs = np.zeros((n, MAXLEN), dtype="int64")
    labels = np.zeros(n, dtype="float32")
    for i in range(n):
        k = min(3 + rng.geometric(0.2), MAXLEN)
        docs[i, :k] = rng.integers(1, VOCAB, size=k)
        labels[i] = sentiment[docs[i, :k]].sum() + 0.3 * rng.normal() > 0
    return docs, labels[:, None]


d_train, l_train = documents(640, 4)
d_test, l_test = documents(400, 5)

inputs = keras.Input((MAXLEN,), dtype="int64")
h = layers.Embedding(VOCAB, DIM, mask_zero=True,
                     embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0))(inputs)
h = ops.sum(h, axis=1) / MAXLEN ** 0.5
h = layers.Dense(24, activation="tanh")(h)
model = keras.Model(inputs, layers.Dense(1)(h))

bce = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1), loss=bce)

train_set = tf.data.Dataset.from_tensor_slices((d_train, l_train)).shuffle(640).batch(32)

# train
model.fit(train_set, epochs=25, verbose=0)

for split, docs, labels in (("train", d_train, l_train), ("test", d_test, l_test)):
    z = model.predict(docs, verbose=0)
    print(split, "loss %.4f accuracy %.4f" % (float(bce(labels, z)), np.mean((z > 0) == (labels > 0.5))))
