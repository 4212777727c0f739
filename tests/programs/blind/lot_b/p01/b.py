import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(0)

X, y = load_breast_cancer(return_X_y=True)
perm = np.random.RandomState(3).permutation(len(X))
X, y = X[perm], y[perm].astype(np.float32)[:, None]
X = ((X - X[:448].mean(0)) / X[:448].std(0)).astype(np.float32)
x_train, y_train = X[:448], y[:448]
x_test, y_test = X[448:], y[448:]

net = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(16, activation="tanh"),
    layers.Dense(1),
])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
net.compile(optimizer=keras.optimizers.Adagrad(learning_rate=0.02), loss=bce)
net.fit(x_train, y_train, batch_size=32, epochs=12, shuffle=True, verbose=0)

for name, x, t in (("train", x_train, y_train), ("test", x_test, y_test)):
    z = net.predict(x, verbose=0)
    print(f"{name} loss {float(bce(t, z)):.4f} acc {np.mean((z > 0) == (t > 0.5)):.4f}")
