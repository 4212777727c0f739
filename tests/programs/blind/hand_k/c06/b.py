"""Denoising autoencoder on digits, TensorFlow loop; gradients of four batches averaged by hand."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

BATCH, ACCUMULATE, EPOCHS = 64, 4, 25


def make_data():
    images = load_digits().data.astype(np.float32) / 16.0
    rng = np.random.default_rng(9)
    images = images[rng.permutation(len(images))]
    noisy = images + rng.normal(scale=0.25, size=images.shape).astype(np.float32)
    return noisy[:1536], images[:1536], noisy[1536:], images[1536:]


keras.utils.set_random_seed(17)
x_train, y_train, x_test, y_test = make_data()


class AutoEncoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc1 = layers.Dense(48, activation="selu", kernel_initializer="lecun_normal")
        self.enc2 = layers.Dense(12, kernel_initializer="glorot_uniform")
        self.dec1 = layers.Dense(48, activation="selu", kernel_initializer="lecun_normal")
        self.dec2 = layers.Dense(64, kernel_initializer="glorot_uniform")

    def call(self, x, training=False):
        return self.dec2(self.dec1(self.enc2(self.enc1(x))))


def bce(target, logits):
    # mean over pixels and samples of max(z,0) - z t + log(1 + exp(-|z|))
    return tf.reduce_mean(tf.maximum(logits, 0.0) - logits * target
                          + tf.math.log1p(tf.exp(-tf.abs(logits))))


model = AutoEncoder()
model(tf.zeros((1, 64)))                       # creates the weights
variables = model.trainable_variables
optimizer = keras.optimizers.Adam(learning_rate=4e-3, beta_1=0.9, beta_2=0.99, epsilon=1e-7)
sums = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in variables]


@tf.function
def accumulate(xb, yb):
    with tf.GradientTape() as tape:
        loss = bce(yb, model(xb, training=True))
    for s, g in zip(sums, tape.gradient(loss, variables)):
        s.assign_add(g)
    return loss


@tf.function
def update():
    optimizer.apply([s / ACCUMULATE for s in sums], variables)
    for s in sums:
        s.assign(tf.zeros_like(s))


rng = np.random.default_rng(17)
count = 0
for epoch in range(EPOCHS):
    order = rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        total += float(accumulate(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
        count += 1
        if count % ACCUMULATE == 0:
            update()
    if epoch % 4 == 0:
        print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.5f}")
print(f"test loss {float(bce(y_test, model(x_test, training=False))):.5f}")
