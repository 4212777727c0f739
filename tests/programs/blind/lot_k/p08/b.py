import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

rng = np.random.RandomState(17)
X = rng.normal(0, 1, (900, 12)).astype("float32")
W1 = rng.normal(0, 1, (12, 6))
W2 = rng.normal(0, 1, (6, 4))
y = (np.maximum(X @ W1, 0) @ W2 + rng.normal(0, 1.0, (900, 4))).argmax(1).astype("int64")
X_train, y_train, X_test, y_test = X[:640], y[:640], X[640:], y[640:]

keras.utils.set_random_seed(23)


def hard_sigmoid(x):
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def gated(x, units):
    value = layers.Dense(units, kernel_initializer="glorot_uniform")(x)
    gate = layers.Dense(units, activation=hard_sigmoid, kernel_initializer="glorot_uniform")(x)
    return layers.Multiply()([gate, value])


inputs = keras.Input((12,))
h = gated(inputs, 32)
h = gated(h, 32)
h = gated(h, 16)
model = keras.Model(inputs, layers.Dense(4, kernel_initializer="glorot_uniform")(h))

optimizer = keras.optimizers.SGD(learning_rate=0.03, momentum=0.9)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
dataset = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(
    len(X_train), seed=23, reshuffle_each_iteration=True).batch(32)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(grads, model.trainable_variables)
    return loss


for epoch in range(30):
    total = 0.0
    for xb, yb in dataset:
        total += float(step(xb, yb)) * len(xb)
    if epoch % 5 == 4:
        print("epoch %2d  loss %.4f" % (epoch + 1, total / len(X_train)))

out = model(X_test, training=False)
print("test loss %.4f  accuracy %.4f" % (float(loss_fn(y_test, out)),
                                         np.mean(out.numpy().argmax(1) == y_test)))
