"""Residual MLP regression on a synthetic robot-arm problem (Keras, custom loop)."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

SEED = 11
keras.utils.set_random_seed(SEED)


def make_data(n=1500, seed=2024):
    rng = np.random.default_rng(seed)
    q = rng.uniform(-1.5, 1.5, size=(n, 4))
    x1 = np.cos(q[:, 0]) + 0.8 * np.cos(q[:, 0] + q[:, 1]) + 0.5 * np.cos(q[:, 0] + q[:, 1] + q[:, 2])
    x2 = np.sin(q[:, 0]) + 0.8 * np.sin(q[:, 0] + q[:, 1]) + 0.5 * np.sin(q[:, 0] + q[:, 1] + q[:, 2])
    y = np.stack([x1, x2, x1 * np.sin(q[:, 3])], axis=1)
    y = y + 0.02 * rng.standard_normal(y.shape)
    return q.astype("float32"), y.astype("float32")


X, Y = make_data()
x_train, y_train, x_test, y_test = X[:1200], Y[:1200], X[1200:], Y[1200:]
mu, sd = y_train.mean(axis=0), y_train.std(axis=0)
y_train, y_test = (y_train - mu) / sd, (y_test - mu) / sd

BATCH, EPOCHS, WIDTH, BLOCKS = 50, 20, 64, 3


def dense(units):
    return layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros")


def build():
    inp = keras.Input((4,))
    h = ops.gelu(dense(WIDTH)(inp))
    for _ in range(BLOCKS):
        z = ops.gelu(dense(2 * WIDTH)(h))
        h = layers.Add()([h, dense(WIDTH)(z)])
    h = ops.gelu(h)
    return keras.Model(inp, dense(3)(h))


model = build()
optimizer = keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=False)
mse = keras.losses.MeanSquaredError()


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(SEED)
for epoch in range(EPOCHS):
    order = rng.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(order), BATCH):
        idx = order[i:i + BATCH]
        total += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1:2d} train mse {total / len(x_train):.5f}")

pred = model(x_test, training=False).numpy()
print(f"parameters {model.count_params()}")
print(f"test mse {np.mean((pred - y_test) ** 2):.5f}")
