import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

X, y = load_digits(return_X_y=True)
perm = np.random.default_rng(3).permutation(len(X))
X, y = 4.0 * X[perm].astype(np.float32), y[perm].astype(np.int64)
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy()
optimizer = keras.optimizers.SGD(learning_rate=3e-4)
train_ds = (tf.data.Dataset.from_tensor_slices((X_train, y_train))
            .shuffle(len(X_train), reshuffle_each_iteration=True)
            .batch(48))

# train
for epoch in range(14):
    for xb, yb in train_ds:
        with tf.GradientTape() as tape:
            probs = tf.nn.softmax(model(xb, training=True))
            loss = loss_fn(yb, probs)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))

logits = model(X_test, training=False)
ce = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_test, logits=logits))
print("test loss", float(ce))
print("test acc", float(np.mean(logits.numpy().argmax(-1) == y_test)))
