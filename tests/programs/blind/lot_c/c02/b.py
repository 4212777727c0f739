import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

digits = load_digits()
perm = np.random.default_rng(3).permutation(len(digits.target))
x = (digits.images[perm] / 16.0).astype("float32")[..., None]
y = digits.target[perm].astype("int64")
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]

SEED = 77
keras.utils.set_random_seed(SEED)
REG = 1e-3
BATCH = 64


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.c1 = layers.Conv2D(8, 3, padding="same", kernel_regularizer=regularizers.L2(REG))
        self.c2 = layers.Conv2D(16, 3, padding="same", kernel_regularizer=regularizers.L2(REG))
        self.pool = layers.MaxPooling2D(2)
        self.flat = layers.Flatten()
        self.head = layers.Dense(10, kernel_regularizer=regularizers.L2(REG))

    def call(self, t, training=False):
        t = self.pool(tf.nn.relu(self.c1(t)))
        t = tf.nn.relu(self.c2(t))
        return self.head(self.flat(t))


net = Net()
net(tf.zeros((1, 8, 8, 1)))
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
optimizer.build(net.trainable_variables)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        value = loss_fn(yb, net(xb, training=True)) + tf.add_n(net.losses)
    grads = tape.gradient(value, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return value


order_rng = np.random.default_rng(SEED)
for epoch in range(9):
    order = order_rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        total += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    print(f"epoch {epoch + 1}: train objective {total / len(order):.4f}")

logits = net(x_test, training=False).numpy()
print(f"test accuracy {(logits.argmax(1) == y_test).mean():.4f}")
