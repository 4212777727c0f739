import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(60)
DIM, BLOCKS, BATCH, EPOCHS = 32, 6, 60, 10

raw = load_digits()
perm = np.random.RandomState(9).permutation(len(raw.target))
x = (raw.images[perm] / 16.0).astype("float32")
y = raw.target[perm].astype("int64")
x_train, y_train, x_test, y_test = x[:1500], y[:1500], x[1500:], y[1500:]


class FeedForward(layers.Layer):
    def __init__(self, dim, expansion):
        super().__init__()
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.up = layers.Dense(dim * expansion, kernel_initializer="he_uniform")
        self.down = layers.Dense(dim, kernel_initializer="he_uniform")

    def call(self, h):
        return h + self.down(ops.gelu(self.up(self.norm(h))))


inputs = keras.Input((8, 8))
h = layers.Flatten()(inputs)
h = layers.Dense(DIM)(h)
for _ in range(BLOCKS):
    h = FeedForward(DIM, 3)(h)
h = layers.LayerNormalization(epsilon=1e-5)(h)
outputs = layers.Dense(10)(h)
model = keras.Model(inputs, outputs)

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.AdamW(learning_rate=1e-3, weight_decay=0.02, beta_1=0.9, beta_2=0.999,
                                   epsilon=1e-12)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    weights = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


rng = np.random.RandomState(60)
for epoch in range(EPOCHS):
    order = rng.permutation(len(x_train))
    mean = 0.0
    for i in range(0, len(order), BATCH):
        rows = order[i:i + BATCH]
        mean += float(train_step(x_train[rows], y_train[rows])) * len(rows) / len(order)
    print(f"epoch {epoch + 1}: {mean:.4f}")

logits = model(x_test, training=False)
print(f"test loss {float(loss_fn(y_test, logits)):.4f}")
print(f"test accuracy {np.mean(np.argmax(logits, 1) == y_test):.4f}")
