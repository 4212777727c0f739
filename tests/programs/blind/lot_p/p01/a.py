import numpy as np
import tensorflow as tf
import keras
from keras import layers
from keras.constraints import MaxNorm

keras.utils.set_random_seed(17)

rng = np.random.default_rng(100)
n, d = 900, 20
X = rng.normal(size=(n, d)).astype("float32")
score = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.5 * X[:, 3] + 0.4 * rng.normal(size=n)
y = (score > 0).astype("float32")[:, None]
X_train, y_train, X_val, y_val = X[:480], y[:480], X[480:], y[480:]

model = keras.Sequential([
    keras.Input((d,)),
    layers.Dense(64, activation="relu", kernel_constraint=MaxNorm(0.8)),
    layers.Dense(32, activation="relu", kernel_constraint=MaxNorm(0.8)),
    layers.Dense(1),
])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9), loss=bce)

train_ds = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(480).batch(32)

# train
model.fit(train_ds, epochs=30, verbose=0)

for name, xs, ys in (("train", X_train, y_train), ("val", X_val, y_val)):
    logit = model.predict(xs, verbose=0)
    print(name, "loss %.4f acc %.4f" % (float(bce(ys, logit)), np.mean((logit > 0) == (ys > 0.5))))
