import math

import keras
import numpy as np
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
idx = np.random.default_rng(77).permutation(len(X))
X, y = (X[idx] / 16.0).astype(np.float32), y[idx]
X_train, y_train, X_test, y_test = X[:1250], y[:1250], X[1250:], y[1250:]

keras.utils.set_random_seed(1)
ALPHA, BATCH = 0.05, 50


def dense(fan_in, fan_out, activation=None):
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    return keras.layers.Dense(
        fan_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential([
    keras.Input((64,)),
    dense(64, 50, "relu"),
    dense(50, 25, "relu"),
    dense(25, 10),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(X_train, y_train, batch_size=BATCH, epochs=14, shuffle=True, verbose=0)
print("training loss per epoch:", np.round(history.history["loss"], 4))

logits = model.predict(X_test, verbose=0)
ll = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y_test, logits)
print("test log loss:", round(float(ll), 4))
print("test accuracy:", round(float((logits.argmax(1) == y_test).mean()), 4))
