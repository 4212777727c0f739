import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_diabetes

EPOCHS = 30

X, y = load_diabetes(return_X_y=True)
perm = np.random.RandomState(0).permutation(len(X))
X, y = X[perm], y[perm]
X_train, X_test, y_train, y_test = X[:354], X[354:], y[:354], y[354:]
mu, sd = X_train.mean(0), X_train.std(0)
X_train = ((X_train - mu) / sd).astype("float32")
X_test = ((X_test - mu) / sd).astype("float32")
y_mu, y_sd = y_train.mean(), y_train.std()
y_train = ((y_train - y_mu) / y_sd).astype("float32")[:, None]
y_test = ((y_test - y_mu) / y_sd).astype("float32")[:, None]

keras.utils.set_random_seed(1)
l2 = 1e-3
model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(64, activation="tanh", kernel_regularizer=regularizers.L2(l2)),
    layers.Dense(32, activation="tanh", kernel_regularizer=regularizers.L2(l2)),
    layers.Dense(1),
])
schedule = keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=2e-3, decay_steps=60, decay_rate=0.7, staircase=True)
model.compile(optimizer=keras.optimizers.Adam(schedule), loss=keras.losses.Huber(delta=1.0))
history = model.fit(X_train, y_train, batch_size=32, epochs=EPOCHS, verbose=0)
for i, value in enumerate(history.history["loss"]):
    if (i + 1) % 5 == 0:
        print(f"epoch {i + 1}: loss {value:.5f}")

pred = model.predict(X_test, verbose=0)
print("test mse", float(np.mean((pred - y_test) ** 2)))
