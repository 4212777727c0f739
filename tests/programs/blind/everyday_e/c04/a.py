"""Sentiment of short reviews: averaged word embeddings (Keras)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(1234)

POSITIVE = "great wonderful charming superb moving funny brilliant fresh delightful gripping warm clever".split()
NEGATIVE = "boring awful dull clumsy weak messy tedious bland painful lazy predictable flat".split()
NEUTRAL = (
    "the a this movie film story plot actor actress director scene camera music ending "
    "script dialogue character cast sequel audience minutes really very quite somewhat "
    "and but with about from into which while felt looked was is seemed became again"
).split()


def make_reviews(n, seed):
    """Synthetic film reviews: mostly neutral words, opinion words that lean one way."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        label = int(rng.integers(0, 2))
        words = []
        for _ in range(int(rng.integers(6, 25))):
            if rng.random() < 0.25:
                liked = rng.random() < (0.78 if label else 0.22)
                words.append(str(rng.choice(POSITIVE if liked else NEGATIVE)))
            else:
                words.append(str(rng.choice(NEUTRAL)))
        texts.append(" ".join(words))
        labels.append(label)
    return texts, np.array(labels)


train_texts, train_labels = make_reviews(1900, seed=1)
test_texts, test_labels = make_reviews(600, seed=2)

MAXLEN = 24
vocab = {w: i + 1 for i, w in enumerate(sorted({w for t in train_texts for w in t.split()}))}

def encode(texts):
    out = np.zeros((len(texts), MAXLEN), dtype="int32")
    for row, text in enumerate(texts):
        ids = [vocab[w] for w in text.split()][:MAXLEN]
        out[row, : len(ids)] = ids  # 0 is padding
    return out


x_train, y_train = encode(train_texts), train_labels.astype("float32")
x_test, y_test = encode(test_texts), test_labels.astype("float32")

model = keras.Sequential(
    [
        keras.Input(shape=(MAXLEN,), dtype="int32"),
        layers.Embedding(
            len(vocab) + 1,
            24,
            mask_zero=True,
            embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05),
        ),
        layers.GlobalAveragePooling1D(),  # respects the mask
        layers.Dense(16, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(1),
    ]
)

BATCH_SIZE = 40
steps_per_epoch = int(np.ceil(len(x_train) / BATCH_SIZE))
schedule = keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=1.0,
    decay_steps=steps_per_epoch,
    decay_rate=0.9,
    staircase=True,
)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=schedule),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
)
model.fit(
    x_train,
    y_train,
    batch_size=BATCH_SIZE,
    epochs=10,
    validation_data=(x_test, y_test),
    verbose=2,
)
loss, acc = model.evaluate(x_test, y_test, batch_size=200, verbose=0)
print(f"test loss {loss:.4f}  accuracy {acc:.4f}")
