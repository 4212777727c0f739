"""Bag of embeddings for padded token lists, Keras fit with masking, Dropout and class_weight."""
import numpy as np
import keras
from keras import layers

VOCAB, T, CLASSES = 120, 18, 3
CLASS_WEIGHT = {0: 0.6, 1: 1.1, 2: 3.0}


def make_data():
    rng = np.random.default_rng(64)
    n = 1850
    y = rng.choice(CLASSES, size=n, p=[0.58, 0.3, 0.12])
    topics = rng.dirichlet(np.full(VOCAB - 1, 0.15), size=CLASSES)
    common = np.full(VOCAB - 1, 1.0 / (VOCAB - 1))
    tokens = np.zeros((n, T), dtype=np.int32)          # 0 is padding
    for i in range(n):
        length = rng.integers(5, T + 1)
        p = 0.5 * topics[y[i]] + 0.5 * common
        tokens[i, :length] = 1 + rng.choice(VOCAB - 1, size=length, p=p / p.sum())
    return tokens[:1500], y[:1500], tokens[1500:], y[1500:]


keras.utils.set_random_seed(70)
x_train, y_train, x_test, y_test = make_data()

model = keras.Sequential([
    keras.Input((T,), dtype="int32"),
    layers.Embedding(VOCAB, 16, mask_zero=True,
                     embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5)),
    layers.GlobalAveragePooling1D(),
    layers.Dropout(0.25),
    layers.Dense(24, activation="relu"),
    layers.Dropout(0.25),
    layers.Dense(CLASSES),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.3, momentum=0.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True,
                                                    reduction="sum_over_batch_size"),
)
model.fit(x_train, y_train, batch_size=64, epochs=20, shuffle=True,
          class_weight=CLASS_WEIGHT, verbose=0)


def report(name, x, y):
    logits = model.predict(x, batch_size=256, verbose=0)
    z = logits - logits.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(len(y)), y].mean()
    print(f"{name}: cross-entropy {loss:.4f} accuracy {(logits.argmax(1) == y).mean():.4f}")


report("train", x_train, y_train)
report("test", x_test, y_test)
