"""Topic classification of short notes: averaged word embeddings (TensorFlow, own loop)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

TOPICS = {
    "sport": "match team goal coach league player season score striker referee final stadium".split(),
    "finance": "stock market bank shares profit investor bond revenue quarter price dividend fund".split(),
    "science": "study cell energy planet data theory lab species particle gene telescope sample".split(),
    "travel": "hotel beach flight island museum tour ticket luggage harbour guide passport train".split(),
}
COMMON = (
    "the a of and in to for with on at new said after this that from which was has over about "
    "more one two last first week year people day time city group report big good long"
).split()
MAX_LEN = 24


def make_corpus(n=2500, seed=42):
    """Short notes: mostly common words, a few of their topic, some of other topics."""
    rng = np.random.default_rng(seed)
    names = list(TOPICS)
    texts, labels = [], []
    for _ in range(n):
        label = int(rng.integers(len(names)))
        words = []
        for _ in range(int(rng.integers(8, MAX_LEN + 1))):
            u = rng.uniform()
            if u < 0.62:
                words.append(COMMON[rng.integers(len(COMMON))])
            elif u < 0.86:
                words.append(TOPICS[names[label]][rng.integers(12)])
            else:
                words.append(TOPICS[names[rng.integers(len(names))]][rng.integers(12)])
        texts.append(" ".join(words))
        labels.append(label)
    return texts, np.array(labels, dtype=np.int64)


def encode(texts):
    """Index 0 is padding; words are numbered in order of appearance."""
    vocab = {"<pad>": 0}
    ids = np.zeros((len(texts), MAX_LEN), dtype=np.int64)
    for i, text in enumerate(texts):
        for j, word in enumerate(text.split()):
            ids[i, j] = vocab.setdefault(word, len(vocab))
    return ids, vocab


def build_model(vocab_size, dim=32, hidden=32, classes=4):
    return keras.Sequential(
        [
            keras.Input((MAX_LEN,), dtype="int32"),
            layers.Embedding(vocab_size, dim, mask_zero=True, embeddings_initializer="uniform"),
            layers.GlobalAveragePooling1D(),  # honours the mask
            layers.Dropout(0.2),
            layers.Dense(hidden, activation="relu"),
            layers.Dense(classes),
        ]
    )


if __name__ == "__main__":
    keras.utils.set_random_seed(17)
    texts, labels = make_corpus()
    ids, vocab = encode(texts)
    n_classes = len(TOPICS)
    targets = np.eye(n_classes, dtype="float32")[labels]

    batch_size, epochs = 64, 18
    train_ds = (
        tf.data.Dataset.from_tensor_slices((ids[:2000], targets[:2000]))
        .shuffle(2000, reshuffle_each_iteration=True)
        .batch(batch_size)
    )

    model = build_model(len(vocab))
    optimizer = keras.optimizers.SGD(learning_rate=1.0)
    loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)

    @tf.function(reduce_retracing=True)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    for epoch in range(epochs):
        running = 0.0
        for x, y in train_ds:
            running += float(train_step(x, y)) * len(x)
        if (epoch + 1) % 3 == 0:
            print(f"epoch {epoch + 1:2d}: train loss {running / 2000:.4f}")

    logits = model(ids[2000:], training=False)
    test_loss = float(loss_fn(targets[2000:], logits))
    accuracy = float(np.mean(np.argmax(logits.numpy(), axis=-1) == labels[2000:]))
    print(f"test loss {test_loss:.4f}, accuracy {accuracy:.4f}")
