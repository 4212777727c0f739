import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss

keras.utils.set_random_seed(3)

batch_size = 50
epochs = 12
l2 = 0.05 / (2 * batch_size)


def bound(fan_in, fan_out):
    return float(np.sqrt(6.0 / (fan_in + fan_out)))


def dense(fan_in, units, activation=None):
    b = bound(fan_in, units)
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_uniform",
        bias_initializer=keras.initializers.RandomUniform(-b, b),
        kernel_regularizer=keras.regularizers.L2(l2),
    )


X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype(np.float32)
order = np.random.default_rng(7).permutation(len(X))
train, test = order[:1500], order[1500:]

model = keras.Sequential([
    keras.Input((64,)),
    dense(64, 48, "tanh"),
    dense(48, 10),
])
model.compile(
    optimizer=keras.optimizers.Adam(2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(X[train], y[train], batch_size=batch_size, epochs=epochs,
                    shuffle=True, verbose=0)
for i, value in enumerate(history.history["loss"], 1):
    print(f"epoch {i:2d}  loss {value:.4f}")

logits = model.predict(X[test], batch_size=300, verbose=0).astype(np.float64)
proba = np.exp(logits - logits.max(axis=1, keepdims=True))
proba /= proba.sum(axis=1, keepdims=True)
print("test log loss %.4f" % log_loss(y[test], proba))
print("test accuracy %.4f" % accuracy_score(y[test], proba.argmax(axis=1)))
