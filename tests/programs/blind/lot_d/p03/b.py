import math
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(19)

T, F, D, CLASSES, BATCH, EPOCHS = 10, 8, 24, 4, 40, 12


def sequences(n, seed):
    # two marked tokens per sequence; the class depends on both payloads
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, T, F))
    first = rng.integers(0, T // 2, n)
    second = rng.integers(T // 2, T, n)
    a, b = rng.integers(0, 2, (2, n))
    x[:, :, :2] = 0.0
    x[np.arange(n), first, 0] = 2.0
    x[np.arange(n), second, 1] = 2.0
    x[np.arange(n), first, 2] = 1.5 * (2 * a - 1)
    x[np.arange(n), second, 3] = 1.5 * (2 * b - 1)
    return x.astype("float32"), (2 * a + b).astype("int64")


x_train, y_train = sequences(1200, 0)
x_test, y_test = sequences(400, 1)


class AttentionClassifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.query = layers.Dense(D, use_bias=False)
        self.key = layers.Dense(D, use_bias=False)
        self.value = layers.Dense(D, use_bias=False)
        self.softmax = layers.Softmax()
        self.hidden = layers.Dense(32, activation="relu")
        self.out = layers.Dense(CLASSES)

    def call(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = tf.matmul(q, k, transpose_b=True) / math.sqrt(D)
        context = tf.matmul(self.softmax(scores), v)
        pooled = tf.reduce_mean(tf.tanh(context), axis=1)
        return self.out(self.hidden(pooled))


model = AttentionClassifier()
criterion = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
model(x_train[:1])


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = criterion(y, model(x, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


shuffle = np.random.default_rng(19)
for epoch in range(EPOCHS):
    perm = shuffle.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(train_step(x_train[idx], y_train[idx])) * len(idx)
    print(f"epoch {epoch + 1}: train loss {total / len(x_train):.4f}")

logits = np.concatenate([model(x_test[i:i + BATCH], training=False) for i in range(0, len(x_test), BATCH)])
print(f"test loss {float(criterion(y_test, logits)):.4f}")
print(f"test accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
