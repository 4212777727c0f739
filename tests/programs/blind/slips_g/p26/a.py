import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes

tf.random.set_seed(10)

X, y = load_diabetes(return_X_y=True)
X = (X / X.std(0)).astype("float32")
y = ((y - y.mean()) / y.std()).astype("float32")
idx = np.random.RandomState(1).permutation(len(y))
X, y = X[idx], y[idx]
X_train, y_train, X_test, y_test = X[:352], y[:352], X[352:], y[352:]


def layer(n_in, n_out):
    limit = (6.0 / (n_in + n_out)) ** 0.5
    return (tf.Variable(tf.random.uniform((n_in, n_out), -limit, limit)),
            tf.Variable(tf.random.uniform((n_out,), -limit, limit)))


W1, b1 = layer(10, 30)
W2, b2 = layer(30, 1)
variables = [W1, b1, W2, b2]
velocity = [tf.Variable(tf.zeros_like(v)) for v in variables]
LR, MOMENTUM, ALPHA = 0.02, 0.9, 0.1


def predict(x):
    return tf.matmul(tf.tanh(tf.matmul(x, W1) + b1), W2) + b2


@tf.function
def train_step(x, t):
    with tf.GradientTape() as tape:
        n = tf.cast(tf.shape(x)[0], tf.float32)
        loss = 0.5 * tf.reduce_mean(tf.square(predict(x) - t))
        penalty = 0.5 * ALPHA / n * (tf.reduce_sum(W1 ** 2) + tf.reduce_sum(W2 ** 2))
        objective = loss + penalty
    for v, m, g in zip(variables, velocity, tape.gradient(objective, variables)):
        m.assign(MOMENTUM * m - LR * g)
        v.assign_add(MOMENTUM * m - LR * g)
    return loss


data = tf.data.Dataset.from_tensor_slices((X_train, y_train[:, None])).shuffle(352).batch(32)
for epoch in range(25):
    s = sum(float(train_step(x, t)) * len(x) for x, t in data)
    print(f"epoch {epoch + 1} loss {s / len(X_train):.5f}")

p = predict(X_test).numpy()[:, 0]
print("test mse", float(np.mean((p - y_test) ** 2)))
