"""Topic classifier for short texts: averaged word embeddings (TensorFlow, own training loop)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

TOPICS = {
    "sport": "match goal coach team season league score player win cup".split(),
    "money": "bank market stock price trade profit loan rate fund tax".split(),
    "tech": "phone chip code cloud data robot screen laptop app server".split(),
    "food": "soup bread taste chef kitchen salt fresh menu cook spice".split(),
}
COMMON = (
    "the a of to and in that it was for on as with his they at be this from have or by one had not "
    "but what all were when we there can an your which their said if do will each about how up out"
).split()
MAX_LEN = 24


def make_corpus(n=2300, seed=77):
    """Short documents: mostly filler words, a few topic words, some of the wrong topic."""
    rng = np.random.default_rng(seed)
    names = list(TOPICS)
    texts, labels = [], []
    for _ in range(n):
        label = int(rng.integers(len(names)))
        words = []
        for _ in range(int(rng.integers(6, MAX_LEN + 1))):
            u = rng.random()
            if u < 0.68:
                words.append(str(rng.choice(COMMON)))
            elif u < 0.90:
                words.append(str(rng.choice(TOPICS[names[label]])))
            else:
                words.append(str(rng.choice(TOPICS[names[int(rng.integers(len(names)))]])))
        texts.append(" ".join(words))
        labels.append(label)
    return texts, np.array(labels, dtype=np.int64)


def encode(texts):
    """Word ids from 1, padded on the right with 0."""
    vocab = {w: i + 1 for i, w in enumerate(sorted({w for t in texts for w in t.split()}))}
    ids = np.zeros((len(texts), MAX_LEN), dtype=np.int64)
    for row, text in enumerate(texts):
        tokens = [vocab[w] for w in text.split()]
        ids[row, : len(tokens)] = tokens
    return ids, len(vocab) + 1


def build_model(vocab_size, dim=24, hidden=32, n_classes=4):
    return tf.keras.Sequential(
        [
            tf.keras.Input((MAX_LEN,), dtype="int64"),
            tf.keras.layers.Embedding(vocab_size, dim, mask_zero=True),
            tf.keras.layers.GlobalAveragePooling1D(),
            tf.keras.layers.Dense(hidden, activation="relu"),
            tf.keras.layers.Dense(n_classes),
        ]
    )


def make_optimizer():
    return tf.keras.optimizers.SGD(learning_rate=0.3, momentum=0.9)


loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def make_train_step(model, optimizer):
    @tf.function(reduce_retracing=True)
    def train_step(ids, label):
        with tf.GradientTape() as tape:
            loss = loss_fn(label, model(ids, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return train_step


def main():
    tf.keras.utils.set_random_seed(19)
    texts, labels = make_corpus()
    ids, vocab_size = encode(texts)
    train = (
        tf.data.Dataset.from_tensor_slices((ids[:2000], labels[:2000]))
        .shuffle(2000, reshuffle_each_iteration=True)
        .batch(64)
    )
    model = build_model(vocab_size)
    train_step = make_train_step(model, make_optimizer())
    running = tf.keras.metrics.Mean()
    for epoch in range(12):
        running.reset_state()
        for batch_ids, batch_label in train:
            loss = train_step(batch_ids, batch_label)
            running.update_state(loss, sample_weight=len(batch_label))
        print(f"epoch {epoch + 1}: loss {running.result():.4f}")

    logits = model(ids[2000:], training=False)
    print(f"test loss {loss_fn(labels[2000:], logits):.4f}")
    print(f"test accuracy {np.mean(np.argmax(logits, 1) == labels[2000:]):.4f}")


if __name__ == "__main__":
    main()
