"""Deep narrow tanh network on the wine-quality-like synthetic task, TensorFlow."""
import numpy as np
import tensorflow as tf


def make_data(n=1000, d=32):
    rng = np.random.default_rng(2024)
    x = rng.normal(size=(n, d)).astype("float32")
    a = rng.normal(size=(d, 4)) / np.sqrt(d)
    z = np.tanh(1.5 * x @ a)
    y = (z[:, 0] * 1.5 + z[:, 1] - z[:, 2] * 0.8 + 0.5 * z[:, 3]).astype("float32")
    return x, y.reshape(-1, 1)


class DeepNet(tf.keras.Model):
    def __init__(self, width=32, depth=7):
        super().__init__()
        self.hidden = [tf.keras.layers.Dense(width, activation="tanh") for _ in range(depth)]
        self.out = tf.keras.layers.Dense(1)

    def call(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.out(x)


tf.keras.utils.set_random_seed(41)
x, y = make_data()
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]
net = DeepNet()
net(x_train[:1])
opt = tf.keras.optimizers.SGD(learning_rate=0.02)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((net(xb, training=True) - yb) ** 2)
    opt.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss


for epoch in range(1, 31):
    perm = np.random.permutation(800)
    total = 0.0
    for start in range(0, 800, 50):
        idx = perm[start:start + 50]
        total += float(step(tf.constant(x_train[idx]), tf.constant(y_train[idx])))
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d} mse {total / 16:.4f}")

print("test mse", float(tf.reduce_mean((net(x_test, training=False) - y_test) ** 2)))
