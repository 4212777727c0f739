import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer

bunch = load_breast_cancer()
order = np.random.RandomState(2).permutation(569)
X, y = bunch.data[order], bunch.target[order].astype("float32")[:, None]
X = ((X - X[:400].mean(0)) / X[:400].std(0)).astype("float32")
X_train, y_train, X_test, y_test = X[:400], y[:400], X[400:], y[400:]

keras.utils.set_random_seed(30)
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(20, activation="tanh", kernel_initializer="glorot_uniform"),
    keras.layers.Dense(10, activation="tanh", kernel_initializer="glorot_uniform"),
    keras.layers.Dense(1, kernel_initializer="glorot_uniform"),
])
optimizer = keras.optimizers.SGD(momentum=0.9)
loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.RandomState(30)
for epoch in range(1, 21):
    perm = rng.permutation(len(X_train))
    total = 0.0
    for i in range(0, len(perm), 32):
        idx = perm[i:i + 32]
        total += float(train_step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    if epoch % 5 == 0:
        print("epoch", epoch, "loss", round(total / len(X_train), 4))

logits = model(X_test, training=False)
print("test loss", round(float(loss_fn(y_test, logits)), 4),
      "accuracy", round(float(np.mean((logits.numpy() > 0) == (y_test > 0.5))), 4))
