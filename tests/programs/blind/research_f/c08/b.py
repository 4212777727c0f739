"""LSTM cell stepped by hand with a mixture-density head, next-value forecasting (Keras + tape)."""
import math

import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(1234)

H, MIX, LEN = 20, 3, 18
BATCH, EPOCHS, LR, CLIP = 40, 20, 0.08, 0.1


def series(n, seed):
    """Waves that jump up or down by a fixed amount at random times."""
    rng = np.random.default_rng(seed)
    t = np.arange(LEN + 1)
    wave = np.sin(rng.uniform(0.4, 0.9, (n, 1)) * t + rng.uniform(0, 2 * np.pi, (n, 1)))
    jump = 0.8 * rng.choice([-1, 1], (n, LEN + 1)) * (rng.uniform(size=(n, LEN + 1)) < 0.3)
    return (wave + jump + 0.05 * rng.normal(size=(n, LEN + 1))).astype("float32")


train, test = series(600, 10), series(200, 11)


def gate_bias(shape, dtype=None):
    return tf.concat([tf.zeros([H]), tf.ones([H]), tf.zeros([2 * H])], 0)


class Cell(layers.Layer):
    def build(self, _):
        self.kernel = self.add_weight(name="kernel", shape=(1, 4 * H), initializer="glorot_uniform")
        self.recurrent = self.add_weight(name="recurrent", shape=(H, 4 * H), initializer="orthogonal")
        self.bias = self.add_weight(name="bias", shape=(4 * H,), initializer=gate_bias)

    def call(self, x, h, c):
        i, f, g, o = tf.split(x @ self.kernel + h @ self.recurrent + self.bias, 4, axis=1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c


cell, head = Cell(), layers.Dense(3 * MIX, kernel_initializer="glorot_uniform")
cell.build((None, 1))
head.build((None, H))
variables = cell.trainable_variables + head.trainable_variables


def nll(seq):
    h = c = tf.zeros([tf.shape(seq)[0], H])
    hidden = []
    for t in range(LEN):
        h, c = cell(seq[:, t:t + 1], h, c)
        hidden.append(h)
    logit, mean, log_sd = tf.split(head(tf.stack(hidden, 1)), 3, axis=-1)
    z = (seq[:, 1:, None] - mean) / tf.exp(log_sd)
    comp = -0.5 * tf.square(z) - log_sd - 0.5 * math.log(2 * math.pi)
    return -tf.reduce_mean(tf.reduce_logsumexp(tf.nn.log_softmax(logit) + comp, axis=-1))


optimizer = keras.optimizers.Adagrad(learning_rate=LR, initial_accumulator_value=0.1, epsilon=1e-10)
optimizer.build(variables)


@tf.function
def train_step(seq):
    with tf.GradientTape() as tape:
        loss = nll(seq)
    grads, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), CLIP)
    optimizer.apply_gradients(zip(grads, variables))
    return loss


# ---- training
shuffler = np.random.default_rng(9)
for epoch in range(EPOCHS):
    order = shuffler.permutation(len(train))
    for s in range(0, len(train), BATCH):
        loss = train_step(tf.constant(train[order[s:s + BATCH]]))
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} last batch {float(loss):.4f} test nll {float(nll(tf.constant(test))):.4f}")
