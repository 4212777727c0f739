"""Gated cell stepped by hand: heteroscedastic forecast and class of ragged oscillations,
two losses weighed against each other (TensorFlow, tape)."""
import math

import keras
import numpy as np
import tensorflow as tf

SEED = 5
LENGTH, HIDDEN = 20, 24
BATCH, EPOCHS, LR, MU, CLIP = 64, 30, 0.02, 0.9, 1.0
W_FORECAST, W_CLASS = 1.0, 2.0


def oscillations(n, seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    freq = np.where(kind == 0, rng.uniform(0.3, 0.6, n), rng.uniform(0.7, 1.1, n))
    phase = rng.uniform(0, 2 * np.pi, n)
    steps = np.arange(LENGTH + 1)
    clean = np.sin(freq[:, None] * steps + phase[:, None])
    noise = 0.08 + 0.2 * np.maximum(clean, 0)                  # noisier near the crests
    series = clean + noise * rng.normal(size=clean.shape)
    length = rng.integers(10, LENGTH + 1, n)
    mask = (np.arange(LENGTH)[None, :] < length[:, None]).astype(np.float32)
    return series.astype(np.float32), mask, kind.astype(np.float32)


class GatedCell(keras.layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        n = self.units
        self.wf = self.add_weight(shape=(shape[-1], n), initializer="glorot_uniform", name="wf")
        self.wc = self.add_weight(shape=(shape[-1], n), initializer="glorot_uniform", name="wc")
        self.uf = self.add_weight(shape=(n, n), initializer="orthogonal", name="uf")
        self.uc = self.add_weight(shape=(n, n), initializer="orthogonal", name="uc")
        self.bf = self.add_weight(shape=(n,), initializer="zeros", name="bf")
        self.bc = self.add_weight(shape=(n,), initializer="zeros", name="bc")

    def call(self, x, h):
        f = tf.sigmoid(x @ self.wf + h @ self.uf + self.bf)
        c = tf.tanh(x @ self.wc + (f * h) @ self.uc + self.bc)
        return h + f * (c - h)


class Forecaster(keras.Model):
    def __init__(self):
        super().__init__()
        self.cell = GatedCell(HIDDEN)
        self.forecast = keras.layers.Dense(2, kernel_initializer="glorot_uniform", bias_initializer="zeros")
        self.classify = keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")

    def call(self, x, mask):
        h = tf.zeros((tf.shape(x)[0], HIDDEN))
        states = []
        for t in range(LENGTH):
            new = self.cell(x[:, t:t + 1], h)
            h = tf.where(mask[:, t:t + 1] > 0, new, h)
            states.append(h)
        out = self.forecast(tf.stack(states, axis=1))
        return out[..., 0], out[..., 1], self.classify(h)[:, 0]


keras.utils.set_random_seed(SEED)
model = Forecaster()
optimizer = keras.optimizers.SGD(learning_rate=LR, momentum=MU, nesterov=False)


def losses(series, mask, kind):
    mean, log_var, logit = model(series[:, :-1], mask)
    nll = 0.5 * (log_var + tf.square(series[:, 1:] - mean) * tf.exp(-log_var) + math.log(2 * math.pi))
    nll = tf.reduce_sum(mask * nll) / tf.reduce_sum(mask)
    bce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=kind, logits=logit))
    hit = tf.reduce_mean(tf.cast(tf.equal(tf.cast(logit > 0, tf.float32), kind), tf.float32))
    return nll, bce, hit


@tf.function(reduce_retracing=True)
def train_step(series, mask, kind):
    with tf.GradientTape() as tape:
        nll, bce, _ = losses(series, mask, kind)
        loss = W_FORECAST * nll + W_CLASS * bce
    variables = model.trainable_variables
    grads, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), CLIP)
    optimizer.apply_gradients(zip(grads, variables))
    return nll, bce


train = oscillations(850, 0)
test = oscillations(400, 1)
dataset = tf.data.Dataset.from_tensor_slices(train).shuffle(850, reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    for batch in dataset:
        nll, bce = train_step(*batch)
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1}  nll {float(nll):.4f}  bce {float(bce):.4f}")

nll, bce, acc = losses(*(tf.constant(a) for a in test))
print(f"test nll {float(nll):.4f}  bce {float(bce):.4f}  accuracy {float(acc):.4f}")
