"""Tagging of variable-length sequences, padded to a common length (TensorFlow)."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

T, VOCAB, TAGS, PAD = 20, 12, 5, -1
BATCH, EPOCHS = 32, 12


def corpus(n=960, seed=99):
    rng = np.random.default_rng(seed)
    rule = rng.integers(0, TAGS, size=(VOCAB, VOCAB))
    x = np.zeros((n, T, VOCAB), dtype=np.float32)
    y = np.full((n, T), PAD, dtype=np.int64)
    for i in range(n):
        length = min(T, 3 + rng.poisson(4))
        tokens = rng.integers(0, VOCAB, size=length)
        x[i, np.arange(length), tokens] = 1.0
        left = np.concatenate([[0], tokens[:-1]])
        y[i, :length] = rule[left, tokens]
    return x, y


x, y = corpus()
x_tr, y_tr, x_te, y_te = x[:800], y[:800], x[800:], y[800:]

tf.random.set_seed(1)
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((T, VOCAB)),
    layers.Conv1D(64, 3, padding="same", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(TAGS, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
opt = keras.optimizers.SGD(learning_rate=0.1, momentum=0.9)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        per_token = keras.losses.sparse_categorical_crossentropy(
            yb, logits, from_logits=True, ignore_class=PAD)
        loss = tf.reduce_mean(per_token)
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((x_tr, y_tr)).shuffle(len(x_tr), seed=1).batch(BATCH)
for epoch in range(EPOCHS):
    losses = [float(step(xb, yb)) for xb, yb in data]
    print(f"epoch {epoch + 1:2d} loss {np.mean(losses):.4f}")

pred = model.predict(x_te, verbose=0).argmax(-1)
real = y_te != PAD
print(f"token accuracy {np.mean(pred[real] == y_te[real]):.4f}")
