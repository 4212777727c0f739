import numpy as np
import keras
from keras import layers, ops

rng = np.random.default_rng(8)
n, T, F_IN = 1600, 10, 6
X = rng.normal(size=(n, T, F_IN)).astype("float32")
marker = rng.integers(0, T, size=n)
X[np.arange(n), marker, 0] += 4.0
value = X[np.arange(n), marker, 1] + X[np.arange(n), marker, 2]
y = (value > 0).astype("float32").reshape(-1, 1)
Xtr, ytr, Xte, yte = X[:1280], y[:1280], X[1280:], y[1280:]

DIM = 16
keras.utils.set_random_seed(12)


def dense(units, **kw):
    return layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros", **kw)


inputs = keras.Input((T, F_IN))
q = dense(DIM)(inputs)
k = dense(DIM)(inputs)
v = dense(DIM)(inputs)
scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) / np.sqrt(DIM)
weights = layers.Softmax()(scores)
context = ops.matmul(weights, v)
pooled = layers.Flatten()(context)
h = dense(32, activation="relu")(pooled)
outputs = dense(1)(h)
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
              loss=keras.losses.BinaryCrossentropy(from_logits=True))
hist = model.fit(Xtr, ytr, batch_size=64, epochs=25, shuffle=True, verbose=0)
for e, v in enumerate(hist.history["loss"]):
    print("epoch", e + 1, "loss", round(v, 4))
logit = model.predict(Xte, batch_size=64, verbose=0)
print("test accuracy", float(((logit > 0) == (yte > 0.5)).mean()))
