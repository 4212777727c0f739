"""Handwritten digits, the MLPClassifier of scikit-learn as a Keras model in double precision."""
import math
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.config.set_floatx("float64")
keras.utils.set_random_seed(0)

ALPHA = 0.05
BATCH = 50

X, y = load_digits(return_X_y=True)
X = X / 16.0
order = np.random.default_rng(6).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]


def sk_dense(fan_in, units, activation=None):
    bound = math.sqrt(6.0 / (fan_in + units))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        # scikit-learn: alpha / (2 * batch) * sum(w^2); 1500 is a multiple of the batch size
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential([
    keras.Input((64,)),
    sk_dense(64, 40, "relu"),
    sk_dense(40, 24, "relu"),
    sk_dense(24, 10),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(X_train, y_train, batch_size=BATCH, epochs=12, shuffle=True, verbose=0)

for i, loss in enumerate(history.history["loss"]):
    print(f"epoch {i + 1:2d}  loss {loss:.5f}")

logits = model.predict(X_test, verbose=0)
shifted = logits - logits.max(axis=1, keepdims=True)
log_prob = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
print(f"test log-loss {-log_prob[np.arange(len(y_test)), y_test].mean():.5f}")
print(f"test accuracy {np.mean(logits.argmax(axis=1) == y_test):.4f}")
