"""Waveform classification with a 1-D CNN: GradientTape, gradients accumulated by hand."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(3)


def waves(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(64) / 64.0
    y = rng.integers(0, 4, n)
    x = np.empty((n, 64, 2), np.float32)
    for i, c in enumerate(y):
        f, ph = rng.uniform(3, 6), rng.uniform(0, 2 * np.pi)
        arg = 2 * np.pi * f * t + ph
        s = [np.sin(arg), np.sign(np.sin(arg)), 2 * ((f * t + ph) % 1.0) - 1, np.sin(arg) * np.sin(2 * np.pi * 2 * t)][c]
        x[i, :, 0] = s + 0.3 * rng.normal(size=64)
        x[i, :, 1] = np.roll(s, 5) + 0.3 * rng.normal(size=64)
    return x, y.astype("int32")


x_train, y_train = waves(960, 0)
x_test, y_test = waves(400, 1)

MICRO, ACCUM, EPOCHS = 16, 4, 8

inp = keras.Input((64, 2))
h = layers.Conv1D(16, 7, strides=2, padding="same", activation="relu")(inp)
h = layers.Conv1D(32, 5, strides=2, padding="same", activation="relu")(h)
h = layers.GlobalAveragePooling1D()(h)
model = keras.Model(inp, layers.Dense(4)(h))

optimizer = keras.optimizers.Adamax(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
weights = model.trainable_variables
sums = [tf.Variable(tf.zeros(w.shape), trainable=False) for w in weights]


def data_loss(y, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))


@tf.function
def accumulate(x, y):
    with tf.GradientTape() as tape:
        loss = data_loss(y, model(x, training=True))
    for s, g in zip(sums, tape.gradient(loss, weights)):
        s.assign_add(g)
    return loss


@tf.function
def apply_mean():
    optimizer.apply_gradients([(s / ACCUM, w) for s, w in zip(sums, weights)])
    for s in sums:
        s.assign(tf.zeros_like(s))


# training
rng = np.random.default_rng(31)
passes = 0
for epoch in range(EPOCHS):
    perm = rng.permutation(len(x_train))
    total = 0.0
    for i in range(0, len(perm), MICRO):
        idx = perm[i:i + MICRO]
        total += float(accumulate(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
        passes += 1
        if passes % ACCUM == 0:
            apply_mean()
    print(f"epoch {epoch + 1} loss {total / len(perm):.4f}")

logits = model(tf.constant(x_test), training=False)
acc = np.mean(np.argmax(logits.numpy(), axis=-1) == y_test)
print(f"test loss {float(data_loss(tf.constant(y_test), logits)):.4f} acc {acc:.4f}")
