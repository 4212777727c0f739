import numpy as np
import keras
import tensorflow as tf
from sklearn.datasets import load_digits

digits = load_digits()
X = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(1).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train = X[:1280], y[:1280]
X_test, y_test = X[1280:], y[1280:]

tf.random.set_seed(17)
keras.utils.set_random_seed(17)


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.d1 = keras.layers.Dense(64, activation="relu")
        self.d2 = keras.layers.Dense(32, activation="relu")
        self.d3 = keras.layers.Dense(10)

    def call(self, x):
        return self.d3(self.d2(self.d1(x)))


model = Classifier()
model(X_train[:1])
optimizer = keras.optimizers.SGD(learning_rate=0.01, momentum=0.0)
train_loss = keras.metrics.Mean()
train_acc = keras.metrics.SparseCategoricalAccuracy()

data = (tf.data.Dataset.from_tensor_slices((X_train, y_train))
        .shuffle(len(X_train), reshuffle_each_iteration=True)
        .batch(32))


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = keras.losses.sparse_categorical_crossentropy(yb, logits, from_logits=True)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    train_loss.update_state(loss)
    train_acc.update_state(yb, logits)


for epoch in range(12):
    train_loss.reset_state()
    train_acc.reset_state()
    for xb, yb in data:
        train_step(xb, yb)
    logits = model(X_test, training=False)
    val = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y_test, logits, from_logits=True))
    acc = np.mean(np.argmax(logits.numpy(), axis=1) == y_test)
    print(f"epoch {epoch + 1}/12 loss {float(train_loss.result()):.4f} acc {float(train_acc.result()):.4f} "
          f"val_loss {float(val):.4f} val_acc {acc:.4f}")
