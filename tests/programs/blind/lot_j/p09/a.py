import keras
import numpy as np
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = X.astype(np.float32)
perm = np.random.default_rng(50).permutation(len(X))
X, y = X[perm], y[perm]
mean, std = X[:1400].mean(0), X[:1400].std(0) + 1.0
X = (X - mean) / std
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]

keras.utils.set_random_seed(2)
inp = keras.Input((64,))
h = inp
for width in (64, 64, 48, 48, 32, 32):
    h = keras.layers.Dense(width, activation="tanh")(h)
model = keras.Model(inp, keras.layers.Dense(10)(h))

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
hist = model.fit(X_train, y_train, batch_size=70, epochs=10, shuffle=True, verbose=0,
                 validation_data=(X_test, y_test))
for e in range(10):
    print(e + 1, *(f"{k}={v[e]:.4f}" for k, v in hist.history.items()))
