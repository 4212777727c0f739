import numpy as np
import keras
from keras import layers

VOCAB, LENGTH, TOPICS, DIM = 300, 24, 4, 16
BATCH, EPOCHS = 40, 16


def make_documents(n=1600, seed=55):
    rng = np.random.default_rng(seed)
    common = rng.dirichlet(np.full(VOCAB, 0.5))
    topic = rng.dirichlet(np.full(VOCAB, 0.15), size=TOPICS)
    labels = rng.integers(0, TOPICS, size=n)
    docs = np.empty((n, LENGTH), dtype=np.int64)
    for i, k in enumerate(labels):
        docs[i] = rng.choice(VOCAB, size=LENGTH, p=0.65 * common + 0.35 * topic[k])
    return docs, labels.astype(np.int64)


docs, labels = make_documents()
n_train = 1200
keras.utils.set_random_seed(321)

tokens = keras.Input((LENGTH,), dtype="int64")
h = layers.Embedding(VOCAB, DIM)(tokens)
h = layers.GlobalAveragePooling1D()(h)
h = layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
logits = layers.Dense(TOPICS, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(tokens, logits)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.5, momentum=0.0),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")])

run = model.fit(docs[:n_train], labels[:n_train], batch_size=BATCH, epochs=EPOCHS,
                shuffle=True, verbose=0)
for epoch, value in enumerate(run.history["loss"]):
    print(f"epoch {epoch + 1:02d}  loss {value:.4f}")
loss, acc = model.evaluate(docs[n_train:], labels[n_train:], batch_size=400, verbose=0)
print(f"held out: loss {loss:.4f}  accuracy {acc:.4f}")
