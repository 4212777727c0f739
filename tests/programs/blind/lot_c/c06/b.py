import numpy as np
import keras
from keras import layers, initializers, regularizers
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
perm = np.random.default_rng(0).permutation(len(y))
X, y = X[perm], y[perm]
Xtr, ytr, Xte, yte = X[:1440], y[:1440], X[1440:], y[1440:]

keras.utils.set_random_seed(7)
batch, alpha = 48, 0.2


def dense(n_in, n_out, act, seed):
    lim = (6.0 / (n_in + n_out)) ** 0.5
    return layers.Dense(
        n_out,
        activation=act,
        kernel_initializer=initializers.RandomUniform(-lim, lim, seed=seed),
        bias_initializer=initializers.RandomUniform(-lim, lim, seed=seed + 1),
        kernel_regularizer=regularizers.L2(alpha / (2 * batch)),
    )


model = keras.Sequential([keras.Input((64,)), dense(64, 32, "relu", 1), dense(32, 10, "softmax", 3)])
model.compile(
    optimizer=keras.optimizers.Adam(0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.SparseCategoricalCrossentropy(),
)
model.fit(Xtr, ytr, batch_size=batch, epochs=10, shuffle=True, verbose=0)

ptr = model.predict(Xtr, verbose=0).astype("float64")
pte = model.predict(Xte, verbose=0).astype("float64")
ptr /= ptr.sum(1, keepdims=True)
pte /= pte.sum(1, keepdims=True)
print(f"train logloss {log_loss(ytr, ptr):.4f}")
print(f"test logloss {log_loss(yte, pte):.4f}")
print(f"test accuracy {(pte.argmax(1) == yte).mean():.4f}")
