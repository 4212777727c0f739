import math

import keras
import numpy as np
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss

wine = load_wine()
perm = np.random.RandomState(3).permutation(len(wine.target))
X = wine.data[perm]
y = wine.target[perm]
X = ((X - X[:128].mean(0)) / X[:128].std(0)).astype(np.float32)
X_train, y_train, X_test, y_test = X[:128], y[:128], X[128:], y[128:]

BATCH = 32
ALPHA = 0.08

keras.utils.set_random_seed(21)


def dense(n_in, n_out, activation):
    bound = math.sqrt(6.0 / (n_in + n_out))
    return keras.layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential([
    keras.Input((X.shape[1],)),
    dense(X.shape[1], 24, "tanh"),
    dense(24, 12, "tanh"),
    dense(12, 3, None),
])
model.compile(
    optimizer=keras.optimizers.Adam(0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
hist = model.fit(X_train, y_train, batch_size=BATCH, epochs=60, shuffle=True, verbose=0)


def proba(x):
    return keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(x, verbose=0)))


print("training loss, every tenth epoch:", np.round(hist.history["loss"][::10], 4))
print("train log loss", round(log_loss(y_train, proba(X_train)), 4))
print("test log loss", round(log_loss(y_test, proba(X_test)), 4),
      "accuracy", round(float((proba(X_test).argmax(1) == y_test).mean()), 4))
