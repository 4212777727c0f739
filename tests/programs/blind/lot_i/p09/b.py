"""Depthwise-separable network on the digits, TensorFlow."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.keras import layers

EPOCHS = 10
BATCH = 64
WIDTH = 40

X, y = load_digits(return_X_y=True)
X = (X / 8.0 - 1.0).astype("float32").reshape(-1, 8, 8, 1)
order = np.random.RandomState(0).permutation(len(X))
X, y = X[order], y[order].astype("int64")
x_train, y_train, x_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]


def separable(x, channels):
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    return layers.Conv2D(channels, 1, activation="relu", kernel_initializer="he_uniform")(x)


tf.keras.utils.set_random_seed(321)
inputs = tf.keras.Input((8, 8, 1))
h = layers.Conv2D(WIDTH, 3, padding="same", activation="relu", kernel_initializer="he_uniform")(inputs)
h = separable(h, WIDTH)
h = layers.MaxPooling2D(2)(h)
h = separable(h, WIDTH)
h = layers.GlobalAveragePooling2D()(h)
model = tf.keras.Model(inputs, layers.Dense(10)(h))

loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
opt = tf.keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)
opt.build(model.trainable_variables)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    opt.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss


rng = np.random.default_rng(0)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(x_train))
    running = 0.0
    for i in range(0, len(perm), BATCH):
        rows = perm[i:i + BATCH]
        running += float(train_step(x_train[rows], y_train[rows])) * len(rows)
    out = model(x_test, training=False)
    test = float(loss_fn(y_test, out))
    acc = float(np.mean(np.argmax(out, 1) == y_test))
    print(f"epoch {epoch + 1} loss {running / len(x_train):.4f} test {test:.4f} acc {acc:.4f}")
