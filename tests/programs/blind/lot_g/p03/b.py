"""Handwritten digits with a Keras multi-layer perceptron."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss

digits = load_digits()
X = (digits.data / 16.0).astype(np.float32)
y = digits.target
perm = np.random.default_rng(0).permutation(len(X))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]

BATCH, EPOCHS, LR0, ALPHA = 56, 20, 0.08, 0.05
keras.utils.set_random_seed(21)


def dense(n_in, n_out, activation=None):
    bound = np.sqrt(6.0 / (n_in + n_out))
    return layers.Dense(
        n_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        kernel_regularizer=keras.regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential([
    keras.Input((64,)),
    dense(64, 48, "tanh"),
    dense(48, 24, "tanh"),
    dense(24, 10),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LR0, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
inverse_sqrt = keras.callbacks.LearningRateScheduler(lambda epoch, lr: LR0 / (epoch + 1) ** 0.5)
model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
          callbacks=[inverse_sqrt], verbose=0)


def predict_proba(data):
    z = model.predict(data, verbose=0).astype(np.float64)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


print("weights:", model.count_params())
print("train log loss: %.4f" % log_loss(y_train, predict_proba(X_train)))
print("test log loss:  %.4f" % log_loss(y_test, predict_proba(X_test)))
print("test accuracy:  %.4f" % np.mean(predict_proba(X_test).argmax(axis=1) == y_test))
