"""Padded sequences, one self-attention block (Keras MultiHeadAttention), GradientTape loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(4)
T, F, E, HEADS, BATCH, EPOCHS = 14, 4, 16, 4, 50, 14


def make_data(n=1200, seed=42):
    rng = np.random.default_rng(seed)
    length = rng.integers(5, T + 1, n)
    mask = np.arange(T)[None, :] < length[:, None]
    x = rng.normal(size=(n, T, F)) * mask[:, :, None]
    early = 1.5 * np.cos(np.arange(T) / 3.0)
    score = (x[:, :, 0] * early).sum(1) + 0.8 * ((np.abs(x[:, :, 1]) - 0.8) * mask).sum(1)
    y = (score / np.sqrt(length) > 0).astype("float32")[:, None]
    return x.astype("float32"), mask.astype("float32"), y


def sinusoid(length, width):
    pos = np.arange(length)[:, None]
    rate = 10000.0 ** (-np.arange(0, width, 2) / width)
    table = np.zeros((length, width), "float32")
    table[:, 0::2] = np.sin(pos * rate)
    table[:, 1::2] = np.cos(pos * rate)
    return table


x, mask, y = make_data()
train, test = slice(0, 900), slice(900, None)

inp = layers.Input((T, F))
msk = layers.Input((T,))
h = layers.Dense(E, kernel_initializer="glorot_uniform", bias_initializer="zeros")(inp)
h = h + sinusoid(T, E)[None]
keep = keras.ops.cast(msk[:, None, :], "bool")          # (B, 1, T): nobody looks at the padding
att = layers.MultiHeadAttention(HEADS, E // HEADS, use_bias=False, dropout=0.0,
                                kernel_initializer="glorot_uniform")(h, h, attention_mask=keep)
h = layers.LayerNormalization(epsilon=1e-6)(h + att)
ff = layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform",
                  bias_initializer="zeros")(h)
ff = layers.Dense(E, kernel_initializer="glorot_uniform", bias_initializer="zeros")(ff)
h = layers.LayerNormalization(epsilon=1e-6)(h + ff)
w = msk[:, :, None]
pooled = keras.ops.sum(h * w, axis=1) / keras.ops.sum(w, axis=1)
out = layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(pooled)
model = keras.Model([inp, msk], out)
print("parameters:", model.count_params())

bce = keras.losses.BinaryCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adamax(learning_rate=6e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function(reduce_retracing=True)
def train_step(xb, mb, yb):
    with tf.GradientTape() as tape:
        loss = bce(yb, model([xb, mb], training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


dataset = tf.data.Dataset.from_tensor_slices((x[train], mask[train], y[train]))
dataset = dataset.shuffle(900, reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    losses = [float(train_step(*batch)) for batch in dataset]
    print(f"epoch {epoch}: {np.mean(losses):.4f}")

logits = model([x[test], mask[test]], training=False)
print(f"test bce {float(bce(y[test], logits)):.4f}  "
      f"accuracy {np.mean((logits.numpy() > 0) == (y[test] > 0.5)):.4f}")
