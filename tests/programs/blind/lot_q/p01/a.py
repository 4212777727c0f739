"""Which symbol was strongest in a noisy sequence? LSTM classifier, Keras."""
import keras
import numpy as np
from keras import layers

LENGTH, SYMBOLS, UNITS = 16, 4, 24


def sequences():
    rng = np.random.RandomState(1234)
    n = 1536
    label = rng.randint(0, SYMBOLS, size=n)
    x = 0.3 * rng.randn(n, LENGTH, SYMBOLS)
    for k in range(2):
        x[np.arange(n), k, label] += 1.0
    x[np.arange(n), -1, label] += 0.3
    return x.astype("float32"), label.astype("int64")


x, y = sequences()
x_tr, y_tr, x_va, y_va = x[:1024], y[:1024], x[1024:], y[1024:]

keras.utils.set_random_seed(2)
model = keras.Sequential([
    layers.Input((LENGTH, SYMBOLS)),
    layers.LSTM(UNITS),
    layers.Dense(SYMBOLS),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=3e-3, epsilon=1e-10),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
model.fit(x_tr, y_tr, batch_size=64, epochs=10, shuffle=True, verbose=2)
loss, acc = model.evaluate(x_va, y_va, batch_size=256, verbose=0)
print(f"validation loss {loss:.4f} accuracy {acc:.4f}")
