"""Bag of tokens: Embedding(mask_zero) + masked average, CosineDecay with warm-up (Keras)."""
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(8)

VOCAB, MAXLEN, CLASSES = 61, 18, 4          # token 0 is padding


def corpus(n, rng, table):
    ids = np.zeros((n, MAXLEN), dtype="int64")
    label = rng.randint(0, CLASSES, size=n)
    for i in range(n):
        length = rng.randint(4, MAXLEN + 1)
        ids[i, :length] = 1 + rng.choice(VOCAB - 1, size=length, p=table[label[i]])
    return ids, label.astype("int64")


rng = np.random.RandomState(17)
table = rng.dirichlet(np.full(VOCAB - 1, 0.8), size=CLASSES)
train_ids, train_y = corpus(1200, rng, table)
test_ids, test_y = corpus(400, rng, table)

BATCH, EPOCHS = 40, 10

model = keras.Sequential([
    keras.Input((MAXLEN,), dtype="int64"),
    layers.Embedding(VOCAB, 16, mask_zero=True,
                     embeddings_initializer=keras.initializers.RandomUniform(-0.5, 0.5)),
    layers.GlobalAveragePooling1D(),
    layers.Dense(32, activation="tanh"),
    layers.Dense(CLASSES),
])
schedule = keras.optimizers.schedules.CosineDecay(
    initial_learning_rate=0.02, decay_steps=260, alpha=0.1, warmup_target=0.6, warmup_steps=40)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=schedule, momentum=0.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

if __name__ == "__main__":
    # reshuffle before each epoch
    order = np.random.default_rng(8)
    for epoch in range(EPOCHS):
        perm = order.permutation(len(train_y))
        model.fit(train_ids[perm], train_y[perm], batch_size=BATCH, initial_epoch=epoch,
                  epochs=epoch + 1, shuffle=False, verbose=2)
    loss, acc = model.evaluate(test_ids, test_y, batch_size=100, verbose=0)
    print(f"test loss {loss:.4f} acc {acc:.4f}")
