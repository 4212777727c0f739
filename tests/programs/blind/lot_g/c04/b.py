"""Breast cancer classifier, trained with a hand-written loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(4)

X, y = load_breast_cancer(return_X_y=True)
perm = np.random.default_rng(40).permutation(len(X))
X, y = X[perm], y[perm].astype("float32")[:, None]
n_train = 430
X = ((X - X[:n_train].mean(0)) / X[:n_train].std(0)).astype("float32")
x_train, y_train, x_test, y_test = X[:n_train], y[:n_train], X[n_train:], y[n_train:]

BATCH, EPOCHS, LR, L2 = 32, 20, 0.02, 1e-3
STEPS = -(-n_train // BATCH) * EPOCHS

inputs = keras.Input((30,))
h = layers.Dense(32, use_bias=False, kernel_regularizer=regularizers.L2(L2))(inputs)
h = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(h)
h = layers.ReLU()(h)
h = layers.Dropout(0.2)(h)
h = layers.Dense(16, activation="relu", kernel_regularizer=regularizers.L2(L2))(h)
model = keras.Model(inputs, layers.Dense(1)(h))

optimizer = keras.optimizers.SGD(
    learning_rate=keras.optimizers.schedules.CosineDecay(LR, decay_steps=STEPS),
    momentum=0.9, nesterov=True)
bce_loss = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = bce_loss(yb, logits) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(grads, model.trainable_weights))
    hits = tf.reduce_sum(tf.cast((logits > 0) == (yb > 0.5), tf.float32))
    return loss, hits


dataset = (tf.data.Dataset.from_tensor_slices((x_train, y_train))
           .shuffle(n_train, reshuffle_each_iteration=True)
           .batch(BATCH, drop_remainder=False))
for epoch in range(EPOCHS):
    loss_sum = hit_sum = 0.0
    for xb, yb in dataset:
        loss, hits = train_step(xb, yb)
        loss_sum += float(loss) * len(xb)
        hit_sum += float(hits)
    print(f"epoch {epoch + 1} loss {loss_sum / n_train:.4f} acc {hit_sum / n_train:.4f}")

logits = model(x_test, training=False).numpy()
bce = float(bce_loss(y_test, logits))
print(f"test bce {bce:.4f} acc {np.mean((logits > 0) == (y_test > 0.5)):.4f}")
