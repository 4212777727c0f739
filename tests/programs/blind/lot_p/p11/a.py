import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(42)

X, y = load_breast_cancer(return_X_y=True)
p = np.random.default_rng(13).permutation(len(X))
X, y = X[p], y[p].astype("float32")[:, None]
m, s = X[:400].mean(0), X[:400].std(0)
X = ((X - m) / s).astype("float32")
X_train, y_train, X_test, y_test = X[:400], y[:400], X[400:], y[400:]

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(24, activation="relu"),
    layers.Dense(12, activation="relu"),
    layers.Dense(1),
])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.005, momentum=0.9, nesterov=False), loss=bce)

train_ds = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(400).batch(32)

# train
model.fit(train_ds, epochs=12, verbose=0)

for tag, xs, ys in [("train", X_train, y_train), ("test", X_test, y_test)]:
    z = model.predict(xs, verbose=0)
    print(tag, "bce=%.4f" % float(bce(ys, z)), "acc=%.4f" % np.mean((z > 0) == (ys > 0.5)))
