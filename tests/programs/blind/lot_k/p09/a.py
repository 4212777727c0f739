import keras
import numpy as np
from sklearn.datasets import load_diabetes

raw = load_diabetes()
order = np.random.RandomState(5).permutation(len(raw.target))
X, y = raw.data[order], raw.target[order]
X = ((X - X[:340].mean(0)) / X[:340].std(0)).astype("float32")
y = ((y - y[:340].mean()) / y[:340].std()).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:340], y[:340], X[340:], y[340:]

keras.utils.set_random_seed(14)
L2 = 0.01


def dense(units, activation=None):
    return keras.layers.Dense(units, activation=activation, kernel_initializer="glorot_uniform",
                              bias_initializer="zeros", kernel_regularizer=keras.regularizers.L2(L2))


model = keras.Sequential([keras.Input((10,)), dense(24, "tanh"), dense(12, "tanh"), dense(1)])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9), loss="mse")
history = model.fit(X_train, y_train, batch_size=34, epochs=40, shuffle=True,
                    validation_data=(X_test, y_test), verbose=0).history
for e in range(9, 40, 10):
    print(f"epoch {e + 1}: train objective {history['loss'][e]:.4f}  test loss {history['val_loss'][e]:.4f}")
print(f"final test loss {model.evaluate(X_test, y_test, verbose=0):.4f}")
