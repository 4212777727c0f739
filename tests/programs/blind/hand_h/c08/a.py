"""Token sequences of unequal length: Embedding(mask_zero) + GRU, Keras fit()."""
import numpy as np
import keras
from keras import layers

VOCAB, MAXLEN, DIM, UNITS = 30, 16, 8, 20
BATCH, EPOCHS, LR = 32, 10, 0.3


def make_data():
    rng = np.random.default_rng(606)
    value = rng.normal(size=VOCAB)
    n = 1900
    tokens = np.zeros((n, MAXLEN), dtype="int64")
    y = np.zeros((n, 1), dtype="float32")
    for i in range(n):
        length = rng.integers(4, MAXLEN + 1)
        seq = rng.integers(1, VOCAB, size=length)
        tokens[i, :length] = seq
        recency = 0.85 ** np.arange(length)[::-1]
        y[i, 0] = float((value[seq] * recency).sum() > 0)
    return tokens[:1500], y[:1500], tokens[1500:], y[1500:]


x_train, y_train, x_test, y_test = make_data()

keras.utils.set_random_seed(12)
model = keras.Sequential(
    [
        keras.Input((MAXLEN,), dtype="int64"),
        layers.Embedding(
            VOCAB, DIM, mask_zero=True, embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5, seed=12)
        ),
        layers.GRU(
            UNITS,
            activation="tanh",
            recurrent_activation="sigmoid",
            kernel_initializer="glorot_uniform",
            recurrent_initializer="orthogonal",
            bias_initializer="zeros",
            reset_after=True,
        ),
        layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=0.0),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)

# training
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)

logits = model.predict(x_test, batch_size=100, verbose=0)
print("test loss", float(model.evaluate(x_test, y_test, batch_size=100, verbose=0)))
print("test accuracy", float(((logits > 0) == (y_test > 0.5)).mean()))
