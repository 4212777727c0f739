import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

SEED = 40
BATCH = 48
EPOCHS = 12
DROP = 0.5

digits = load_digits()
X = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(55).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train, X_test, y_test = X[:1440], y[:1440], X[1440:], y[1440:]

tf.random.set_seed(SEED)
shuffler = np.random.default_rng(SEED)


def glorot(fan_in, fan_out):
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return tf.random.uniform((fan_in, fan_out), -limit, limit)


sizes = [64, 128, 64, 10]
weights = [tf.Variable(glorot(i, o)) for i, o in zip(sizes[:-1], sizes[1:])]
biases = [tf.Variable(tf.zeros((o,))) for o in sizes[1:]]
variables = weights + biases


def dropout(h):
    keep = tf.random.uniform(tf.shape(h)) >= DROP
    return h * tf.cast(keep, h.dtype)


def forward(x, training):
    h = x
    for w, b in zip(weights[:-1], biases[:-1]):
        h = tf.nn.relu(h @ w + b)
        if training:
            h = dropout(h)
    return h @ weights[-1] + biases[-1]


def criterion(labels, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


optimizer = keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, forward(xb, training=True))
    grads = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(grads, variables))
    return loss


for epoch in range(EPOCHS):
    perm = shuffler.permutation(len(X_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(train_step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1}: loss {total / len(perm):.4f}")

logits = forward(tf.constant(X_test), training=False)
print(f"test loss {float(criterion(y_test, logits)):.4f} "
      f"accuracy {(logits.numpy().argmax(1) == y_test).mean():.4f}")
