"""Unbalanced classes, GradientTape loop: masks, weights, accumulation and momentum by hand."""
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import make_classification

EPOCHS, BATCH, ACC = 15, 32, 4
LR, MU, RATE = 0.1, 0.9, 0.25
CLASS_WEIGHT = tf.constant([0.5, 1.0, 1.5, 3.0])

X, Y = make_classification(n_samples=1624, n_features=12, n_informative=8, n_redundant=2,
                           n_classes=4, weights=[0.5, 0.25, 0.15, 0.1], class_sep=1.4,
                           flip_y=0.02, random_state=21)
X = X.astype("float32") / 2.0
Y = Y.astype("int32")
x_train, y_train, x_test, y_test = X[:1024], Y[:1024], X[1024:], Y[1024:]

keras.utils.set_random_seed(8)
init = dict(kernel_initializer="he_uniform", bias_initializer="zeros")
first = layers.Dense(48, activation="elu", **init)
second = layers.Dense(24, activation="elu", **init)
last = layers.Dense(4, **init)
first.build((None, 12))
second.build((None, 48))
last.build((None, 24))
variables = first.trainable_variables + second.trainable_variables + last.trainable_variables


def drop(h):
    keep = tf.cast(tf.random.uniform(tf.shape(h)) >= RATE, h.dtype)
    return h * keep / (1.0 - RATE)


def forward(x, training):
    h = first(x)
    if training:
        h = drop(h)
    h = second(h)
    if training:
        h = drop(h)
    return last(h)


def per_sample_loss(logits, y):
    top = tf.reduce_max(logits, axis=1, keepdims=True)
    log_norm = tf.math.log(tf.reduce_sum(tf.exp(logits - top), axis=1)) + top[:, 0]
    return log_norm - tf.gather(logits, y, axis=1, batch_dims=1)


summed = [tf.Variable(tf.zeros_like(v)) for v in variables]
velocity = [tf.Variable(tf.zeros_like(v)) for v in variables]


@tf.function
def add_gradients(x, y):
    with tf.GradientTape() as tape:
        weighted = per_sample_loss(forward(x, True), y) * tf.gather(CLASS_WEIGHT, y)
        loss = tf.reduce_mean(weighted)
    for s, g in zip(summed, tape.gradient(loss, variables)):
        s.assign_add(g)
    return loss


@tf.function
def update():
    for v, s, vel in zip(variables, summed, velocity):
        vel.assign(MU * vel - LR * s)
        v.assign_add(vel)
        s.assign(tf.zeros_like(s))


# training
rng = np.random.default_rng(8)
count = 0
for epoch in range(1, EPOCHS + 1):
    order = rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        loss = add_gradients(tf.constant(x_train[idx]), tf.constant(y_train[idx]))
        count += 1
        if count % ACC == 0:
            update()
        total += float(loss) * len(idx)
    print(f"epoch {epoch:2d}  train loss {total / len(order):.4f}")

logits = forward(tf.constant(x_test), False)
test_loss = float(tf.reduce_mean(per_sample_loss(logits, tf.constant(y_test))))
acc = float((logits.numpy().argmax(1) == y_test).mean())
print(f"test loss {test_loss:.4f}  test accuracy {acc:.4f}")
