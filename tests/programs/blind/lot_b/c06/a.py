import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(3)

data = load_breast_cancer()
perm = np.random.default_rng(0).permutation(569)
X = data.data[perm].astype("float32")
y = data.target[perm].astype("float32").reshape(-1, 1)
X = (X - X[:460].mean(axis=0)) / X[:460].std(axis=0)
X_train, y_train, X_test, y_test = X[:460], y[:460], X[460:], y[460:]

reg = keras.regularizers.L2(1e-3)
model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(32, use_bias=False, kernel_regularizer=reg),
    layers.BatchNormalization(momentum=0.9),
    layers.ReLU(),
    layers.Dropout(0.2),
    layers.Dense(16, activation="relu", kernel_regularizer=reg),
    layers.Dense(1),
])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.Adam(3e-3), loss=bce)
model.fit(X_train, y_train, batch_size=32, epochs=20, verbose=0)

logits = model.predict(X_test, verbose=0)
print("test bce:", round(float(bce(y_test, logits)), 4),
      "test accuracy:", round(float(np.mean((logits > 0) == y_test)), 4))
