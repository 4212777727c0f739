"""Tagging words with a masked bidirectional LSTM. Keras."""
import numpy as np
import keras
from keras import layers

VOCAB, LONGEST, TAGS = 50, 12, 5
N_TRAIN, N_TEST, BATCH, EPOCHS = 1200, 300, 30, 9
EMB, UNITS = 16, 20
LR = 0.8


def make_sentences(seed=314):
    """Words 1..49, lists of 4 to 12, 0 as padding; a word's tag depends on both its neighbours."""
    r = np.random.RandomState(seed)
    n = N_TRAIN + N_TEST
    length = r.randint(4, LONGEST + 1, n)
    words = r.randint(1, VOCAB, (n, LONGEST))
    kind = r.randint(0, 3, VOCAB)
    k = kind[words]
    inside = np.arange(LONGEST)[None] < length[:, None]
    before = np.concatenate([np.zeros((n, 1), int), k[:, :-1]], 1)
    after = np.concatenate([np.where(inside[:, 1:], k[:, 1:], 0), np.zeros((n, 1), int)], 1)
    tag = np.where(k == 0, 0, np.where(k == 1, 1 + (before == 2), 3 + (after == 1)))
    noisy = r.uniform(size=tag.shape) < 0.03
    tag = np.where(noisy, r.randint(0, TAGS, tag.shape), tag)
    words[~inside] = 0
    tag[~inside] = -1
    return words.astype("int64"), tag.astype("int64"), length.astype("int64")


words, tags, length = make_sentences()

keras.utils.set_random_seed(90)

model = keras.Sequential([
    keras.Input((LONGEST,), dtype="int64"),
    layers.Embedding(VOCAB, EMB, mask_zero=True, embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5)),
    layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True)),
    layers.Dense(TAGS),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LR),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
)


class Report(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(f"epoch {epoch + 1} loss {logs['loss']:.4f}")


model.fit(words[:N_TRAIN], tags[:N_TRAIN], batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0,
          callbacks=[Report()])

logits = model.predict(words[N_TRAIN:], batch_size=N_TEST, verbose=0).astype("float64")
gold = tags[N_TRAIN:]
real = gold >= 0
z = logits[real]
logp = z - z.max(1, keepdims=True)
logp = logp - np.log(np.exp(logp).sum(1, keepdims=True))
ce = -logp[np.arange(len(z)), gold[real]].mean()
acc = (z.argmax(1) == gold[real]).mean()
print(f"test cross-entropy {ce:.4f} accuracy per word {acc:.4f}")
