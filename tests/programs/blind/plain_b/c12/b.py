import math
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_breast_cancer

ALPHA, BATCH, EPOCHS = 0.01, 40, 40

keras.backend.set_floatx("float64")
keras.utils.set_random_seed(4)


def get_data():
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(X))
    X, y = X[order], y[order]
    mean, std = X[:469].mean(0), X[:469].std(0)
    X = (X - mean) / std
    return X[:469], y[:469], X[469:], y[469:]


def dense(fan_in, fan_out, activation=None):
    # scikit-learn draws from U(-b, b) with b = sqrt(2 / (fan_in + fan_out)) for logistic networks, biases too
    b = math.sqrt(2.0 / (fan_in + fan_out))
    return keras.layers.Dense(
        fan_out,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(minval=-b, maxval=b),
        bias_initializer=keras.initializers.RandomUniform(minval=-b, maxval=b),
    )


X_train, y_train, X_test, y_test = get_data()

model = keras.Sequential([
    keras.Input((30,)),
    dense(30, 16, "sigmoid"),
    dense(16, 8, "sigmoid"),
    dense(8, 1),
])
optimizer = keras.optimizers.SGD(learning_rate=0.08, momentum=0.8, nesterov=False)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=yb, logits=logits))
        squares = tf.add_n([tf.reduce_sum(tf.square(layer.kernel)) for layer in model.layers])
        n = tf.cast(tf.shape(xb)[0], tf.float64)
        loss += ALPHA / (2.0 * n) * squares
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


targets = y_train.astype("float64")[:, None]
for epoch in range(EPOCHS):
    order = np.random.permutation(len(X_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        total += float(train_step(tf.constant(X_train[idx]), tf.constant(targets[idx]))) * len(idx)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:3d}  loss {total / len(order):.5f}")

p = tf.sigmoid(model(X_test, training=False)).numpy()[:, 0]
bce = -np.mean(y_test * np.log(p) + (1 - y_test) * np.log(1 - p))
print(f"test bce {bce:.5f}  accuracy {np.mean((p > 0.5) == y_test):.4f}")
