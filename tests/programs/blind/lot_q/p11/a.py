import math

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss

BATCH, EPOCHS, LR, MOMENTUM = 100, 12, 0.3, 0.95

digits = load_digits()
order = np.random.RandomState(42).permutation(len(digits.target))[:1500]
X = ((digits.data[order] - 5.0) / 6.0).astype(np.float32)
y = digits.target[order]
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

tf.keras.utils.set_random_seed(19)


def layer(n_in, n_out, activation=None):
    bound = math.sqrt(6.0 / (n_in + n_out))
    draw = lambda: tf.keras.initializers.RandomUniform(-bound, bound)
    return tf.keras.layers.Dense(n_out, activation=activation,
                                 kernel_initializer=draw(), bias_initializer=draw())


model = tf.keras.Sequential([tf.keras.Input((64,)), layer(64, 40, "tanh"), layer(40, 10)])
optimizer = tf.keras.optimizers.SGD(learning_rate=LR, momentum=MOMENTUM)
cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = cross_entropy(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


shuffler = np.random.RandomState(19)
curve = []
for epoch in range(EPOCHS):
    idx = shuffler.permutation(len(X_train))
    losses = [step(X_train[idx[i:i + BATCH]], y_train[idx[i:i + BATCH]]).numpy()
              for i in range(0, len(idx), BATCH)]
    curve.append(np.mean(losses))
print("loss curve", np.round(curve, 4))

for name, a, b in (("train", X_train, y_train), ("test", X_test, y_test)):
    p = tf.nn.softmax(model(a, training=False)).numpy().astype(np.float64)
    p /= p.sum(1, keepdims=True)
    print(name, "log loss %.4f accuracy %.4f" % (log_loss(b, p), accuracy_score(b, p.argmax(1))))
