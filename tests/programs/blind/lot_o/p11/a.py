"""Diabetes progression, TensorFlow loop."""
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes

X, y = load_diabetes(return_X_y=True)
X = ((X - X.mean(0)) / X.std(0)).astype("float32")
y = (y / 50.0).astype("float32")[:, None]
perm = np.random.default_rng(3).permutation(len(X))
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:350], y[:350], X[350:], y[350:]

tf.random.set_seed(70)
shuffler = np.random.default_rng(70)
model = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(32, activation="tanh", kernel_initializer=keras.initializers.GlorotUniform(seed=1)),
    keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=2)),
])
optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, clipvalue=0.02)
mse = keras.losses.MeanSquaredError()


@tf.function(reduce_retracing=True)
def update(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(25):
    order = shuffler.permutation(len(X_train))
    total = 0.0
    for start in range(0, len(X_train), 25):
        idx = order[start:start + 25]
        total += float(update(tf.constant(X_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1:2d} train {total / len(X_train):.4f}")

print(f"test mse {float(mse(y_test, model(X_test, training=False))):.4f}")
