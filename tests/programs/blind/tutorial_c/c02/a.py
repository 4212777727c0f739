# Sentiment of short made-up reviews: embedding, average over the real words,
# a small dense layer. Keras with compile/fit; the padding is masked.
import keras
import numpy as np
from keras import layers

VOCAB, MAXLEN = 400, 30


def make_reviews(n, rng):
    """0 is padding; words 1..40 please, 41..80 annoy, the others are neutral."""
    ids = np.zeros((n, MAXLEN), dtype=np.int32)
    label = rng.integers(0, 2, n)
    for i in range(n):
        length = rng.integers(8, MAXLEN + 1)
        words = rng.integers(81, VOCAB, length)
        mood = rng.random(length) < 0.35
        liked = rng.random(length) < (0.72 if label[i] else 0.28)
        loaded = np.where(liked, rng.integers(1, 41, length), rng.integers(41, 81, length))
        ids[i, :length] = np.where(mood, loaded, words)
    return ids, label.astype(np.float32)


rng = np.random.default_rng(2024)
x_train, y_train = make_reviews(2000, rng)
x_test, y_test = make_reviews(600, rng)

keras.utils.set_random_seed(17)
model = keras.Sequential([
    keras.Input((MAXLEN,), dtype="int32"),
    layers.Embedding(VOCAB, 24, mask_zero=True),
    layers.GlobalAveragePooling1D(),
    layers.Dropout(0.2),
    layers.Dense(16, activation="tanh"),
    layers.Dense(1),
])
# 40 batches an epoch: the step is halved every 4 epochs
schedule = keras.optimizers.schedules.ExponentialDecay(
    1.5, decay_steps=160, decay_rate=0.5, staircase=True)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=schedule),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
model.fit(x_train, y_train[:, None], batch_size=50, epochs=12, shuffle=True, verbose=2,
          validation_data=(x_test, y_test[:, None]))
loss, acc = model.evaluate(x_test, y_test[:, None], batch_size=50, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
