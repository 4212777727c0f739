"""Support-ticket routing: averaged word embeddings, custom TensorFlow loop."""
import numpy as np
import tensorflow as tf
from tensorflow import keras

VOCAB = 500
MAX_LEN = 30
CLASSES = 3
BATCH_SIZE = 50
EPOCHS = 6


def make_tickets(n=3600, seed=99):
    """Token ids 1..VOCAB-1, zero is padding at the end."""
    rng = np.random.default_rng(seed)
    base = rng.dirichlet(np.full(VOCAB - 1, 0.4))
    topics = rng.dirichlet(np.full(VOCAB - 1, 0.08), size=CLASSES)
    labels = rng.integers(0, CLASSES, n)
    lengths = rng.integers(8, MAX_LEN + 1, n)
    ids = np.zeros((n, MAX_LEN), dtype=np.int64)
    for i in range(n):
        mix = 0.7 * base + 0.3 * topics[labels[i]]
        ids[i, : lengths[i]] = 1 + rng.choice(VOCAB - 1, size=lengths[i], p=mix / mix.sum())
    return ids, labels


class TicketRouter(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = keras.layers.Embedding(
            VOCAB, 32, embeddings_initializer=keras.initializers.RandomUniform(-0.25, 0.25)
        )
        self.hidden = keras.layers.Dense(32, activation="relu")
        self.dropout = keras.layers.Dropout(0.3)
        self.out = keras.layers.Dense(CLASSES)

    def call(self, ids, training=False):
        mask = tf.cast(tf.not_equal(ids, 0), tf.float32)[:, :, None]
        vectors = self.embedding(ids) * mask
        mean = tf.reduce_sum(vectors, axis=1) / tf.reduce_sum(mask, axis=1)
        return self.out(self.dropout(self.hidden(mean), training=training))


loss_fn = keras.losses.sparse_categorical_crossentropy


def make_train_step(model, optimizer):
    @tf.function(reduce_retracing=True)
    def train_step(ids, labels):
        with tf.GradientTape() as tape:
            loss = loss_fn(labels, model(ids, training=True), from_logits=True)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    return train_step


def main():
    keras.utils.set_random_seed(21)
    ids, labels = make_tickets()
    train = tf.data.Dataset.from_tensor_slices((ids[:3000], labels[:3000]))
    train = train.shuffle(3000, reshuffle_each_iteration=True).batch(BATCH_SIZE)

    model = TicketRouter()
    optimizer = keras.optimizers.SGD(learning_rate=0.2, momentum=0.9)
    train_step = make_train_step(model, optimizer)

    for epoch in range(EPOCHS):
        mean_loss = keras.metrics.Mean()
        for x, y in train:
            mean_loss.update_state(train_step(x, y), sample_weight=len(y))
        logits = model(ids[3000:], training=False).numpy()
        acc = (logits.argmax(axis=1) == labels[3000:]).mean()
        print(f"epoch {epoch + 1}: train loss {float(mean_loss.result()):.4f}, test acc {acc:.4f}")

    test_loss = float(np.mean(loss_fn(labels[3000:], logits, from_logits=True)))
    print(f"final test loss {test_loss:.4f}, accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
