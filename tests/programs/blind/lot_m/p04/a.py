import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
perm = np.random.RandomState(0).permutation(len(y))
X, y = X[perm], y[perm].astype("int64")
Xtr, ytr, Xte, yte = X[:1400], y[:1400], X[1400:], y[1400:]

keras.utils.set_random_seed(7)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(48, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.ReLU(),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(Xtr, ytr, batch_size=70, epochs=20, shuffle=True, verbose=2)
logits = model.predict(Xte, verbose=0)
p = np.exp(logits - logits.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
print("test accuracy", float((logits.argmax(1) == yte).mean()))
print("mean confidence", float(p.max(1).mean()))
