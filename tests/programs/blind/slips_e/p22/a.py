import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(1)

bunch = load_breast_cancer()
perm = np.random.RandomState(7).permutation(569)
X, y = bunch.data[perm], bunch.target[perm]
X = (X - X[:400].mean(axis=0)) / X[:400].std(axis=0)
X = X.astype("float32")
X_train, y_train, X_test, y_test = X[:400], y[:400], X[400:], y[400:]

BATCH = 40
ALPHA = 0.05


def layer(fan_in, units, activation):
    limit = float(np.sqrt(2.0 / (fan_in + units)))
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        kernel_regularizer=regularizers.L2(ALPHA / (2 * BATCH)),
    )


model = keras.Sequential([
    keras.Input((30,)),
    layer(30, 20, "sigmoid"),
    layer(20, 10, "sigmoid"),
    layer(10, 1, None),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
history = model.fit(X_train, y_train.reshape(-1, 1).astype("float32"),
                    epochs=30, shuffle=True, verbose=0)

prob = 1.0 / (1.0 + np.exp(-model.predict(X_test, verbose=0)[:, 0].astype("float64")))
print("training loss, last epoch: %.5f" % history.history["loss"][-1])
print("test log loss: %.5f" % -np.mean(np.where(y_test == 1, np.log(prob), np.log1p(-prob))))
print("test accuracy: %.4f" % np.mean((prob > 0.5) == y_test))
