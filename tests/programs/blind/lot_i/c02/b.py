import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes

EPOCHS = 30
BATCH = 32

X, y = load_diabetes(return_X_y=True)
perm = np.random.RandomState(0).permutation(len(X))
X, y = X[perm], y[perm]
X_train, X_test, y_train, y_test = X[:354], X[354:], y[:354], y[354:]
mu, sd = X_train.mean(0), X_train.std(0)
X_train = ((X_train - mu) / sd).astype("float32")
X_test = ((X_test - mu) / sd).astype("float32")
y_mu, y_sd = y_train.mean(), y_train.std()
y_train = ((y_train - y_mu) / y_sd).astype("float32")[:, None]
y_test = ((y_test - y_mu) / y_sd).astype("float32")[:, None]

tf.keras.utils.set_random_seed(1)


class Regressor(tf.keras.Model):
    def __init__(self, l2):
        super().__init__()
        reg = tf.keras.regularizers.L2
        self.h1 = tf.keras.layers.Dense(64, activation="tanh", kernel_regularizer=reg(l2))
        self.h2 = tf.keras.layers.Dense(32, activation="tanh", kernel_regularizer=reg(l2))
        self.out = tf.keras.layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.h2(self.h1(x)))


model = Regressor(1e-3)
model(X_train[:1])
huber = tf.keras.losses.Huber(delta=1.0)
steps_per_decay = 60
optimizer = tf.keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
optimizer.build(model.trainable_variables)


@tf.function
def train_step(x, t):
    with tf.GradientTape() as tape:
        prediction = model(x, training=True)
        loss = huber(t, prediction) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(1)
step = 0
for epoch in range(EPOCHS):
    idx = rng.permutation(len(X_train))
    total = 0.0
    for start in range(0, len(idx), BATCH):
        rows = idx[start:start + BATCH]
        optimizer.learning_rate.assign(2e-3 * 0.7 ** (step // steps_per_decay))
        loss = train_step(X_train[rows], y_train[rows])
        total += float(loss) * len(rows)
        step += 1
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1}: loss {total / len(idx):.5f}")

pred = model(X_test, training=False).numpy()
print("test mse", float(np.mean((pred - y_test) ** 2)))
