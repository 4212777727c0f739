import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X * 8.0).astype("float32")
perm = np.random.RandomState(9).permutation(len(y))
X, y = X[perm], y[perm].astype("int64")
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]

keras.utils.set_random_seed(2)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy()
optimizer = keras.optimizers.SGD(learning_rate=4e-4)

rs = np.random.RandomState(2)
for epoch in range(20):
    order = rs.permutation(len(Xtr))
    correct = 0
    for i in range(0, len(order), 60):
        idx = order[i:i + 60]
        with tf.GradientTape() as tape:
            probs = tf.nn.softmax(model(Xtr[idx], training=True))
            loss = loss_fn(ytr[idx], probs)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        correct += int((probs.numpy().argmax(1) == ytr[idx]).sum())
    print("epoch", epoch + 1, "train accuracy", correct / len(ytr))

pred = model(Xte, training=False).numpy().argmax(1)
print("test accuracy", (pred == yte).mean())
