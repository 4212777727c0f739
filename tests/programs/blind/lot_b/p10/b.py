import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_wine

keras.utils.set_random_seed(71)

X, y = load_wine(return_X_y=True)
perm = np.random.RandomState(6).permutation(len(X))
X, y = X[perm].astype(np.float32), y[perm].astype(np.int64)
x_train, y_train = X[:136], y[:136]
x_test, y_test = X[136:], y[136:]

model = keras.Sequential([
    keras.Input((13,)),
    layers.BatchNormalization(epsilon=1e-5),
    layers.Dense(24, activation="relu"),
    layers.Dense(3),
])
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9), loss=cross_entropy)
model.fit(x_train, y_train, batch_size=17, epochs=20, verbose=0)

for part, x, t in (("train", x_train, y_train), ("test", x_test, y_test)):
    logits = model.predict(x, verbose=0)
    print(part, "loss %.4f" % float(cross_entropy(t, logits)),
          "acc %.4f" % np.mean(logits.argmax(1) == t))
