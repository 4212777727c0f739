"""Denoising autoencoder on the 8x8 digits; tape loop, own dropout mask, gradients summed up by hand."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(6)

images = (load_digits().data / 16.0).astype("float32")
images = images[np.random.default_rng(5).permutation(len(images))]
x_train, x_test = images[:1536], images[1536:]

RATE, BATCH, EPOCHS, ACCUMULATE = 0.25, 32, 12, 3


class AutoEncoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc1 = layers.Dense(48, activation="relu", kernel_initializer="he_uniform")
        self.enc2 = layers.Dense(12, activation="tanh")
        self.dec1 = layers.Dense(48, activation="relu", kernel_initializer="he_uniform")
        self.dec2 = layers.Dense(64)

    def call(self, x):
        return self.dec2(self.dec1(self.enc2(self.enc1(x))))


model = AutoEncoder()
model(x_train[:1])
variables = model.trainable_variables
optimizer = keras.optimizers.Adagrad(learning_rate=0.1, initial_accumulator_value=0.001, epsilon=1e-7)
optimizer.build(variables)
sums = [tf.Variable(tf.zeros_like(v)) for v in variables]


def bce(x, logits):
    return tf.reduce_mean(tf.nn.softplus(logits) - x * logits)


@tf.function
def accumulate(x):
    keep = tf.cast(tf.random.uniform(tf.shape(x)) >= RATE, tf.float32)
    with tf.GradientTape() as tape:
        loss = bce(x, model(x * keep / (1.0 - RATE), training=True))
    for s, g in zip(sums, tape.gradient(loss, variables)):
        s.assign_add(g)
    return loss


@tf.function
def update():
    optimizer.apply([tf.identity(s) for s in sums], variables)
    for s in sums:
        s.assign(tf.zeros_like(s))


rng = np.random.default_rng(6)
for epoch in range(1, EPOCHS + 1):
    order = rng.permutation(len(x_train))
    losses = []
    for k, start in enumerate(range(0, len(order), BATCH), 1):
        losses.append(float(accumulate(tf.constant(x_train[order[start:start + BATCH]]))))
        if k % ACCUMULATE == 0:
            update()
    print(f"epoch {epoch:2d} bce {np.mean(losses):.4f}")

logits = model(x_test, training=False)
print(f"test bce {float(bce(x_test, logits)):.4f} "
      f"mse {np.mean((tf.sigmoid(logits).numpy() - x_test) ** 2):.5f}")
