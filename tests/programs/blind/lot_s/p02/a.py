import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(3)


def make_data(n=960, vocab=180, k=5):
    rng = np.random.default_rng(7)
    topics = rng.dirichlet(np.full(vocab, 0.15), size=k)
    y = rng.integers(0, k, size=n)
    X = np.zeros((n, vocab), dtype="float32")
    for i in range(n):
        p = 0.55 * topics[y[i]] + 0.45 / vocab
        X[i] = rng.multinomial(30, p)
    return np.log1p(X).astype("float32"), y.astype("int64")


x, y = make_data()
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]

model = keras.Sequential([
    keras.Input(shape=(180,)),
    layers.Dense(24, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(5, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.Adagrad(learning_rate=0.02, epsilon=1e-10),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=40, epochs=12, shuffle=True,
          validation_data=(x_test, y_test), verbose=2)
