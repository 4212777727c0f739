"""Diabetes progression, small MLP, Nesterov Adam. TensorFlow."""
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_diabetes

keras.utils.set_random_seed(30)

X, y = load_diabetes(return_X_y=True)
perm = np.random.default_rng(17).permutation(len(X))
X, y = X[perm].astype(np.float32), y[perm].astype(np.float32)[:, None]
n_train = 352
mean, std = X[:n_train].mean(0), X[:n_train].std(0)
X = (X - mean) / std
y = (y - y[:n_train].mean()) / y[:n_train].std()
X_train, y_train = tf.constant(X[:n_train]), tf.constant(y[:n_train])
X_test, y_test = tf.constant(X[n_train:]), tf.constant(y[n_train:])

EPOCHS, BATCH = 20, 32


def linear(units, activation=None):
    return keras.layers.Dense(units, activation=activation,
                              kernel_initializer="glorot_uniform", bias_initializer="zeros")


model = keras.Sequential([keras.Input((10,)), linear(40, "tanh"), linear(20, "tanh"), linear(1)])
optimizer = keras.optimizers.Nadam(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
criterion = keras.losses.MeanSquaredError()


@tf.function
def update(xb, yb):
    with tf.GradientTape() as tape:
        loss = criterion(yb, model(xb, training=True))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


for epoch in range(EPOCHS):
    seen = 0.0
    order = tf.random.shuffle(tf.range(n_train))
    for start in range(0, n_train, BATCH):
        idx = order[start:start + BATCH]
        seen += float(update(tf.gather(X_train, idx), tf.gather(y_train, idx))) * len(idx)
    print(f"epoch {epoch:2d}  train {seen / n_train:.4f}")

print(f"train mse {float(criterion(y_train, model(X_train, training=False))):.4f}")
print(f"test mse {float(criterion(y_test, model(X_test, training=False))):.4f}")
