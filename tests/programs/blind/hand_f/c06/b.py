"""Breast cancer with a GradientTape loop; normalisation, dropout, decay, weights by hand."""
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_breast_cancer

raw = load_breast_cancer()
perm = np.random.RandomState(1).permutation(len(raw.target))
x, y = raw.data[perm], raw.target[perm].astype("float32")[:, None]
mean, std = x[:448].mean(0), x[:448].std(0)
x = ((x - mean) / std).astype("float32")
x_train, y_train, x_test, y_test = x[:448], y[:448], x[448:], y[448:]
WEIGHT_NEGATIVE, WEIGHT_POSITIVE = 1.6, 0.7
LR, DECAY = 2e-3, 0.05

keras.utils.set_random_seed(12)


class HandNorm(keras.layers.Layer):
    def build(self, shape):
        self.gain = self.add_weight(name="gain", shape=(shape[-1],), initializer="ones")
        self.shift = self.add_weight(name="shift", shape=(shape[-1],), initializer="zeros")

    def call(self, x):
        mu = tf.reduce_mean(x, axis=-1, keepdims=True)
        var = tf.reduce_mean(tf.square(x - mu), axis=-1, keepdims=True)
        return (x - mu) * tf.math.rsqrt(var + 1e-5) * self.gain + self.shift


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(32)
        self.norm = HandNorm()
        self.second = keras.layers.Dense(12)
        self.head = keras.layers.Dense(1)

    def call(self, x, training=False):
        h = tf.nn.relu(self.norm(self.first(x)))
        if training:
            keep = tf.cast(tf.random.uniform(tf.shape(h)) >= 0.25, tf.float32)
            h = h * keep / 0.75
        return self.head(tf.tanh(self.second(h)))


model = Net()
model(x_train[:1])
optimizer = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-7)


def bce(z, t):
    # log(1 + exp(z)) - t z, stable for both signs of z
    return tf.maximum(z, 0.0) - t * z + tf.math.log1p(tf.exp(-tf.abs(z)))


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        weight = tf.where(yb > 0.5, WEIGHT_POSITIVE, WEIGHT_NEGATIVE)
        loss = tf.reduce_mean(weight * bce(model(xb, training=True), yb))
    grads = tape.gradient(loss, model.trainable_variables)
    for v in model.trainable_variables:  # decoupled decay, before the Adam step
        v.assign(v - LR * DECAY * v)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# ---- training
shuffler = np.random.default_rng(12)
for epoch in range(1, 13):
    order = shuffler.permutation(len(x_train))
    losses = []
    for start in range(0, len(order), 32):
        idx = order[start : start + 32]
        losses.append(float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))))
    print(f"epoch {epoch:2d} weighted loss {np.mean(losses):.4f}")

z = model(x_test, training=False)
acc = float(np.mean((z.numpy() > 0) == (y_test > 0.5)))
print(f"test loss {float(tf.reduce_mean(bce(z, y_test))):.4f} accuracy {acc:.4f}")
