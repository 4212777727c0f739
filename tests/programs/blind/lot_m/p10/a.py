import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = (X / 16.0).astype("float32")
perm = np.random.RandomState(0).permutation(len(y))
X, y = X[perm], y[perm].astype("int64")
Xtr, ytr, Xte, yte = X[:1400], y[:1400], X[1400:], y[1400:]

keras.utils.set_random_seed(51)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(40, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adadelta(learning_rate=1.0)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices((Xtr, ytr)).shuffle(1400).batch(64)
for epoch in range(15):
    loss_sum = 0.0
    for xb, yb in ds:
        loss_sum += float(step(xb, yb)) * xb.shape[0]
    print("epoch", epoch + 1, "loss", loss_sum / len(Xtr))

logits = model(Xte, training=False)
print("test loss", float(loss_fn(yte, logits)))
print("test acc", float((np.argmax(logits, 1) == yte).mean()))
