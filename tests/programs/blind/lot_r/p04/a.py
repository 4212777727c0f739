"""Self-attention over short sequences: which symbol follows the marker? (Keras)"""
import keras
import numpy as np
from keras import layers, ops

T, K = 12, 6


def make(n, seed):
    rng = np.random.default_rng(seed)
    sym = rng.integers(0, K, size=(n, T))
    pos = rng.integers(0, T, size=n)
    x = np.zeros((n, T, K + 2))
    x[np.arange(n)[:, None], np.arange(T)[None, :], sym] = 1.0
    x[np.arange(n), pos, K] = 1.0
    x[:, :, K + 1] = np.linspace(-1, 1, T)
    x += 0.25 * rng.standard_normal(x.shape)
    return x.astype("float32"), sym[np.arange(n), pos].astype("int64")


x_train, y_train = make(1500, 51)
x_test, y_test = make(500, 52)

keras.utils.set_random_seed(15)
D = 16
inp = keras.Input((T, K + 2))
q = layers.Dense(D, use_bias=False, name="query")(inp)
k = layers.Dense(D, use_bias=False, name="key")(inp)
v = layers.Dense(D, use_bias=False, name="value")(inp)
scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) / D ** 0.5
weights = layers.Softmax()(scores)
h = ops.matmul(weights, v)
h = layers.GlobalAveragePooling1D()(h)
h = layers.Dense(32, activation="relu")(h)
out = layers.Dense(K)(h)
model = keras.Model(inp, out)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.01, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
hist = model.fit(x_train, y_train, batch_size=50, epochs=20, shuffle=True, verbose=0)
for i in range(4, 20, 5):
    print(f"epoch {i + 1}: loss {hist.history['loss'][i]:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=50, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
