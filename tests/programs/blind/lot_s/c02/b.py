import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(91)


VOCAB, LENGTH = 120, 16


def make_data(n=1000):
    rng = np.random.default_rng(52)
    pos, neg = np.arange(5, 25), np.arange(25, 45)
    y = rng.integers(0, 2, size=n)
    x = rng.integers(45, VOCAB, size=(n, LENGTH))
    for i in range(n):
        k = rng.integers(2, 6)
        where = rng.choice(LENGTH, size=k, replace=False)
        x[i, where] = rng.choice(pos if y[i] else neg, size=k)
    return x.astype("int32"), y.astype("float32")[:, None]


def build():
    reg = keras.regularizers.L2(1e-3)
    return keras.Sequential([
        keras.Input((LENGTH,), dtype="int32"),
        layers.Embedding(VOCAB, 12),
        layers.Conv1D(16, 3, activation="relu", kernel_regularizer=reg),
        layers.GlobalMaxPooling1D(),
        layers.Dropout(0.25),
        layers.Dense(12, activation="relu", kernel_regularizer=reg),
        layers.Dense(1),
    ])


x, y = make_data()
model = build()
optimizer = keras.optimizers.SGD(learning_rate=0.3)
bce = keras.losses.BinaryCrossentropy(from_logits=True)
train = tf.data.Dataset.from_tensor_slices((x[:810], y[:810])).shuffle(810, reshuffle_each_iteration=True).batch(32)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = bce(yb, model(xb, training=True)) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(18):
    mean = keras.metrics.Mean()
    for xb, yb in train:
        mean.update_state(train_step(xb, yb), sample_weight=len(xb))
    out = model(x[810:], training=False)
    val = float(bce(y[810:], out) + tf.add_n(model.losses))
    acc = np.mean((out.numpy() > 0) == (y[810:] > 0.5))
    print(f"epoch {epoch + 1} loss {float(mean.result()):.4f} val_loss {val:.4f} val_acc {acc:.3f}")
