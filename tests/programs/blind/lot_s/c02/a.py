import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(20)


VOCAB, LENGTH = 120, 16


def make_data(n=1000):
    rng = np.random.default_rng(52)
    pos, neg = np.arange(5, 25), np.arange(25, 45)
    y = rng.integers(0, 2, size=n)
    x = rng.integers(45, VOCAB, size=(n, LENGTH))
    for i in range(n):
        k = rng.integers(2, 6)
        where = rng.choice(LENGTH, size=k, replace=False)
        x[i, where] = rng.choice(pos if y[i] else neg, size=k)
    return x.astype("int32"), y.astype("float32")[:, None]


def build():
    reg = keras.regularizers.L2(1e-3)
    return keras.Sequential([
        keras.Input((LENGTH,), dtype="int32"),
        layers.Embedding(VOCAB, 12),
        layers.Conv1D(16, 3, activation="relu", kernel_regularizer=reg),
        layers.GlobalMaxPooling1D(),
        layers.Dropout(0.25),
        layers.Dense(12, activation="relu", kernel_regularizer=reg),
        layers.Dense(1),
    ])


x, y = make_data()
model = build()
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.3),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
)
model.fit(x[:810], y[:810], batch_size=32, epochs=18, shuffle=True, verbose=2, validation_data=(x[810:], y[810:]))
