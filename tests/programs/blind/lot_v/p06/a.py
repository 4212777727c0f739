import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import make_friedman1

keras.utils.set_random_seed(4)
EPOCHS, BATCH, LR = 20, 50, 0.02

X, y = make_friedman1(n_samples=1300, n_features=8, noise=0.5, random_state=10)
X = (X * 2.0 - 1.0).astype(np.float32)
y = (y / 5.0).astype(np.float32)
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]


def layer(n_in, n_out, activation=None):
    limit = float(np.sqrt(6.0 / (n_in + n_out)))
    uniform = lambda: keras.initializers.RandomUniform(-limit, limit)
    return keras.layers.Dense(n_out, activation=activation,
                              kernel_initializer=uniform(), bias_initializer=uniform())


model = keras.Sequential([keras.Input((8,)), layer(8, 40, "relu"), layer(40, 20, "relu"), layer(20, 1)])
optimizer = keras.optimizers.SGD(learning_rate=LR, momentum=0.9, nesterov=True)


def half_mse(target, pred):
    return 0.5 * tf.reduce_mean(tf.square(pred - target))


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = half_mse(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(4)
for epoch in range(EPOCHS):
    order = rng.permutation(len(X_train))
    running = 0.0
    for start in range(0, len(order), BATCH):
        take = order[start:start + BATCH]
        running += float(train_step(tf.constant(X_train[take]), tf.constant(y_train[take]))) * len(take)
    print(f"epoch {epoch + 1:2d} loss {running / len(order):.4f}")

pred = model(X_test, training=False).numpy().ravel()
resid = pred - y_test
print(f"test rmse {np.sqrt(np.mean(resid ** 2)):.4f}  r2 {1 - np.sum(resid ** 2) / np.sum((y_test - y_test.mean()) ** 2):.4f}")
