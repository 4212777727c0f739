import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

data = load_digits()
perm = np.random.default_rng(4).permutation(len(data.target))
X = (data.data[perm] / 16.0).astype("float32")
y = data.target[perm].astype("int64")
X_train, y_train, X_test, y_test = X[:1300], y[:1300], X[1300:], y[1300:]

tf.random.set_seed(60)
keras.utils.set_random_seed(60)

model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(96, activation="relu"),
    keras.layers.Dense(10),
])
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.SGD(learning_rate=0.1, momentum=0.9)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


ds = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(1300, reshuffle_each_iteration=True).batch(64)
for epoch in range(15):
    total = 0.0
    for xb, yb in ds:
        total += float(train_step(xb, yb)) * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(X_train):.4f}")

pred = np.argmax(model(X_test, training=False).numpy(), axis=1)
print("test accuracy %.4f" % np.mean(pred == y_test))
