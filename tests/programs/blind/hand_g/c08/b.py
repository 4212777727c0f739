"""Five noisy spirals-like clusters: TensorFlow variables, softmax loss and L2 by hand, Keras Adam."""
import math

import numpy as np
import keras
import tensorflow as tf

tf.random.set_seed(0)

rng = np.random.default_rng(8)
N, K = 1500, 5
labels = rng.integers(0, K, N)
radius = rng.uniform(0.3, 2.0, N)
angle = 2 * np.pi * labels / K + 1.4 * radius + 0.15 * rng.normal(size=N)
features = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
features = np.concatenate([features, 0.5 * rng.normal(size=(N, 4))], 1).astype(np.float32)
X_train, y_train = features[:1200], labels[:1200]
X_test, y_test = features[1200:], labels[1200:]

HIDDEN, BATCH, EPOCHS, ALPHA = 48, 60, 25, 0.1


def uniform(shape, fan_in, fan_out):
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    return tf.Variable(tf.random.uniform(shape, -bound, bound))


W1, b1 = uniform((6, HIDDEN), 6, HIDDEN), uniform((HIDDEN,), 6, HIDDEN)
W2, b2 = uniform((HIDDEN, K), HIDDEN, K), uniform((K,), HIDDEN, K)
variables = [W1, b1, W2, b2]
# same update as in scikit-learn: epsilon is added to sqrt(v) before the bias correction
adam = keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
adam.build(variables)


def log_softmax(x):
    z = tf.matmul(tf.nn.relu(tf.matmul(x, W1) + b1), W2) + b2
    z -= tf.reduce_max(z, axis=1, keepdims=True)
    return z - tf.math.log(tf.reduce_sum(tf.exp(z), axis=1, keepdims=True))


def objective(x, onehot):
    n = tf.cast(tf.shape(x)[0], tf.float32)
    nll = -tf.reduce_sum(onehot * log_softmax(x)) / n
    return nll + 0.5 * ALPHA / n * (tf.reduce_sum(W1 ** 2) + tf.reduce_sum(W2 ** 2))


@tf.function
def train_step(x, onehot):
    with tf.GradientTape() as tape:
        loss = objective(x, onehot)
    adam.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


# training
onehot_train = np.eye(K, dtype=np.float32)[y_train]
shuffler = np.random.default_rng(0)
for epoch in range(EPOCHS):
    perm = shuffler.permutation(len(X_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(train_step(tf.constant(X_train[idx]), tf.constant(onehot_train[idx]))) * len(idx)
    if epoch % 4 == 0:
        print("epoch", epoch + 1, "objective", round(total / len(perm), 4))
print("final objective", round(total / len(perm), 4))

logp = log_softmax(tf.constant(X_test)).numpy()
print("test log-loss %.4f" % -np.mean(logp[np.arange(len(logp)), y_test]))
print("test accuracy %.4f" % np.mean(logp.argmax(1) == y_test))
