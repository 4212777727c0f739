import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(23)
VOCAB, LEN = 200, 12
n = 1500
y = rng.integers(0, 4, size=n)
topic = rng.dirichlet(np.full(VOCAB, 0.15), size=4)
X = np.stack([rng.choice(VOCAB, size=LEN, p=0.5 * topic[k] + 0.5 / VOCAB) for k in y]).astype("int64")
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]

keras.utils.set_random_seed(5)
net = keras.Sequential([
    keras.Input((LEN,), dtype="int64"),
    layers.Embedding(VOCAB, 16),
    layers.GlobalAveragePooling1D(),
    layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(4, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
net.compile(optimizer=keras.optimizers.SGD(learning_rate=0.5, momentum=0.0),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
hist = net.fit(Xtr, ytr, batch_size=50, epochs=24, shuffle=True, verbose=0)
for i, (l, acc) in enumerate(zip(hist.history["loss"], hist.history["accuracy"])):
    print(f"epoch {i + 1} loss {l:.4f} acc {acc:.4f}")
loss, acc = net.evaluate(Xte, yte, batch_size=50, verbose=0)
print(f"test loss {loss:.4f} acc {acc:.4f}")
