"""Variable-length sequences, three classes: one attention block from Keras layers,
trained with a GradientTape."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

T, FEAT, E, HEADS, HIDDEN, CLASSES = 12, 5, 24, 4, 48, 3
BATCH, EPOCHS, LR, MOMENTUM, CLIP = 32, 17, 0.03, 0.9, 0.5


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, T + 1, size=n)
    y = rng.integers(0, CLASSES, size=n)
    x = rng.normal(0, 1, size=(n, T, FEAT))
    t = np.arange(T)
    for i in range(n):
        phase = rng.uniform(0, 2 * np.pi)
        wave = np.sin((0.5 + 0.6 * y[i]) * t + phase)
        x[i, :, 0] += 2.0 * wave
        x[i, :, 1] += 2.0 * np.cos((0.5 + 0.6 * y[i]) * t + phase)
        x[i, lengths[i]:] = 0.0
    mask = (t[None, :] < lengths[:, None])
    return x.astype("float32"), mask, y.astype("int64")


def positions(length, dim):
    pos = np.arange(length)[:, None]
    freq = 1.0 / 10000 ** (np.arange(0, dim, 2) / dim)
    table = np.zeros((length, dim), dtype="float32")
    table[:, 0::2] = np.sin(pos * freq)
    table[:, 1::2] = np.cos(pos * freq)
    return table


def dense(units, activation=None):
    return layers.Dense(units, activation=activation,
                        kernel_initializer="glorot_uniform", bias_initializer="zeros")


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = dense(E)
        self.pos = tf.constant(positions(T, E))
        self.attn = layers.MultiHeadAttention(
            num_heads=HEADS, key_dim=E // HEADS, dropout=0.0,
            kernel_initializer="glorot_uniform", bias_initializer="zeros")
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.up = dense(HIDDEN, "relu")
        self.down = dense(E)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.head = dense(CLASSES)

    def call(self, x, mask, training=False):
        h = self.embed(x) + self.pos
        att = self.attn(h, h, attention_mask=mask[:, None, :], training=training)
        h = self.norm1(h + att)
        h = self.norm2(h + self.down(self.up(h)))
        m = tf.cast(mask, tf.float32)[:, :, None]
        pooled = tf.reduce_sum(h * m, axis=1) / tf.reduce_sum(m, axis=1)
        return self.head(pooled)


def main():
    keras.utils.set_random_seed(5)
    x, mask, y = make_data(1000, 20)
    xt, maskt, yt = make_data(500, 21)
    model = Net()
    model(x[:2], mask[:2])
    print("weights:", model.count_params())
    loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(learning_rate=LR, momentum=MOMENTUM, nesterov=False,
                                     global_clipnorm=CLIP)

    @tf.function(reduce_retracing=True)
    def step(xb, mb, yb):
        with tf.GradientTape() as tape:
            loss = loss_fn(yb, model(xb, mb, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    order_rng = np.random.default_rng(77)
    for epoch in range(EPOCHS):
        order = order_rng.permutation(len(x))
        total = 0.0
        for s in range(0, len(x), BATCH):
            i = order[s:s + BATCH]
            loss = step(tf.constant(x[i]), tf.constant(mask[i]), tf.constant(y[i]))
            total += float(loss) * len(i)
        print(f"epoch {epoch + 1:2d}  loss {total / len(x):.4f}")
    out = model(xt, maskt, training=False)
    acc = np.mean(np.argmax(out.numpy(), axis=-1) == yt)
    print(f"test loss {float(loss_fn(yt, out)):.4f}  accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
