"""Sentiment of synthetic reviews: embedding, 1-d convolution, max over time. Keras."""
import numpy as np
import keras
from keras import layers

VOCAB, LENGTH, DIM = 300, 40, 16
BATCH, EPOCHS = 32, 8


def make_reviews():
    """Word ids 1..299; a few words are friendly, a few are hostile, a 'not' (id 41) flips the next word."""
    rng = np.random.default_rng(21)
    n = 2000
    x = np.zeros((n, LENGTH), dtype="int64")
    score = np.zeros(n)
    for i in range(n):
        length = rng.integers(15, LENGTH + 1)
        words = rng.integers(42, VOCAB, size=length)
        mood = rng.random()
        for j in range(length):
            if rng.random() < 0.3:
                good = rng.random() < mood
                words[j] = rng.integers(1, 21) if good else rng.integers(21, 41)
                if j > 0 and rng.random() < 0.1:
                    words[j - 1] = 41
        for j in range(length):
            s = 1 if words[j] <= 20 else (-1 if words[j] <= 40 else 0)
            if j > 0 and words[j - 1] == 41:
                s = -s
            score[i] += s
        x[i, LENGTH - length:] = words          # padded on the left with 0
    y = (score > 0).astype("float32")
    return x[:1600], y[:1600], x[1600:], y[1600:]


def text_cnn():
    ids = keras.Input((LENGTH,), dtype="int64")
    h = layers.Embedding(
        VOCAB, DIM, embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5))(ids)
    h = layers.Conv1D(24, 3, padding="valid", activation="relu")(h)
    h = layers.GlobalMaxPooling1D()(h)
    h = layers.Dense(16, activation="relu")(h)
    z = layers.Dense(1)(h)
    return keras.Model(ids, z)


def lr_for_epoch(epoch, lr):
    return 0.2 if epoch < 5 else 0.05


def main():
    keras.utils.set_random_seed(3)
    xtr, ytr, xte, yte = make_reviews()
    model = text_cnn()
    model.compile(
        keras.optimizers.SGD(learning_rate=0.2, momentum=0.0),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
    )
    model.fit(xtr, ytr[:, None], batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2,
              callbacks=[keras.callbacks.LearningRateScheduler(lr_for_epoch)])
    loss, acc = model.evaluate(xte, yte[:, None], batch_size=len(xte), verbose=0)
    print(f"test loss {loss:.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
