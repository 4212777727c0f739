"""Breast-cancer classifier with plain Keras: Dropout, kernel_regularizer, class_weight, fit."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(17)

data = load_breast_cancer()
order = np.random.RandomState(4).permutation(len(data.target))
x, y = data.data[order], data.target[order].astype(np.float32)
x_train, x_test = x[:455], x[455:]
y_train, y_test = y[:455, None], y[455:, None]
mu, sd = x_train.mean(axis=0), x_train.std(axis=0)
x_train = ((x_train - mu) / sd).astype(np.float32)
x_test = ((x_test - mu) / sd).astype(np.float32)


def dense(units, activation=None):
    return layers.Dense(units, activation=activation, kernel_initializer="glorot_uniform",
                        bias_initializer="zeros", kernel_regularizer=regularizers.L2(1e-3))


model = keras.Sequential([
    keras.Input((30,)),
    dense(32, "relu"),
    layers.Dropout(0.3),
    dense(16, "relu"),
    layers.Dropout(0.2),
    dense(1),
])
model.compile(optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
              loss=keras.losses.BinaryCrossentropy(from_logits=True))
history = model.fit(x_train, y_train, batch_size=32, epochs=25, shuffle=True,
                    class_weight={0: 1.6, 1: 0.8}, verbose=0)
for i, l in enumerate(history.history["loss"]):
    print(f"epoch {i + 1} loss {l:.4f}")
test_loss = model.evaluate(x_test, y_test, batch_size=32, verbose=0)
z = model.predict(x_test, verbose=0)
print(f"test loss {test_loss:.4f} accuracy {np.mean((z > 0) == (y_test > 0.5)):.4f}")
