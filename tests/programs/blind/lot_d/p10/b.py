import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_diabetes

keras.utils.set_random_seed(55)

bunch = load_diabetes()
perm = np.random.RandomState(3).permutation(442)
X = bunch.data[perm] * np.sqrt(442)
y = (bunch.target[perm] - 152.0) / 77.0
X = X.astype("float32")
y = y[:, None].astype("float32")
X_train, y_train, X_test, y_test = X[:352], y[:352], X[352:], y[352:]

model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(32, activation="tanh"),
    layers.Dense(1),
])
optimizer = keras.optimizers.SGD(learning_rate=0.001)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = keras.losses.mean_squared_error(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


loader = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(352).batch(16)
for epoch in range(20):
    total = 0.0
    for xb, yb in loader:
        total += float(tf.reduce_sum(train_step(xb, yb)))
    print("epoch %d: mse %.4f" % (epoch + 1, total / len(X_train)))

print("test mse %.4f" % np.mean((model(X_test, training=False) - y_test) ** 2))
