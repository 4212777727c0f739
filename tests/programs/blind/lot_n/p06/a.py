import numpy as np
import tensorflow as tf
import keras
from keras import layers

SEED = 9
BATCH = 32
EPOCHS = 10

rng = np.random.default_rng(2024)
X = rng.uniform(0, 1, (1260, 10))
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 1, 1260))
X = ((X - 0.5) * np.sqrt(12)).astype("float32")
y = ((y - 14.4) / 5.0).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:960], y[:960], X[960:], y[960:]

keras.utils.set_random_seed(SEED)
shuffler = np.random.default_rng(SEED)

model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(64, activation="tanh"),
    layers.Dense(32, activation="tanh"),
    layers.Dense(1),
])
optimizer = keras.optimizers.RMSprop(learning_rate=1e-3, momentum=0.0, epsilon=1e-16, centered=False)
mse = keras.losses.MeanSquaredError()


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    perm = shuffler.permutation(len(X_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        total += float(train_step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1}: mse {total / len(perm):.4f}")

print(f"test mse {float(mse(y_test, model(X_test, training=False))):.4f}")
