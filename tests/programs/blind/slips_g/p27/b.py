import keras
import numpy as np
from keras import layers

VOCAB, MAXLEN, CLASSES = 300, 18, 3


def make_reviews(n, seed):
    """Documents as word ids 1..VOCAB-1, padded at the end with 0."""
    rng = np.random.default_rng(seed)
    docs = np.zeros((n, MAXLEN), dtype="int64")
    topic = rng.integers(0, CLASSES, n)
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        common = rng.integers(1, 200, length)
        special = 200 + 33 * topic[i] + rng.integers(0, 33, length)
        docs[i, :length] = np.where(rng.random(length) < 0.25, special, common)
    return docs, topic.astype("int64")


docs, topics = make_reviews(2100, seed=5)
x_train, y_train = docs[:1600], topics[:1600]
x_test, y_test = docs[1600:], topics[1600:]

keras.utils.set_random_seed(34)
model = keras.Sequential(
    [
        keras.Input((MAXLEN,), dtype="int64"),
        layers.Embedding(VOCAB, 16),
        layers.GlobalAveragePooling1D(),
        layers.Dense(24, activation="tanh"),
        layers.Dense(CLASSES),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=2.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)


def step_decay(epoch, lr):
    return 2.0 if epoch < 8 else 0.2


# ---- training
model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=11,
    callbacks=[keras.callbacks.LearningRateScheduler(step_decay)],
    verbose=2,
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f}")
print(f"test accuracy {accuracy:.4f}")
