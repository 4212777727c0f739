"""Masked rows of digits: a small attention model with shared block and tied embedding (TensorFlow, tape)."""
import math

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

ROWS, PIX, DIM, HEADS, FF, DEPTH = 8, 8, 32, 4, 64, 2
BATCH, EPOCHS = 100, 18
PEAK, WARMUP, DECAY = 4e-3, 40, 0.05


def digits():
    x, _ = load_digits(return_X_y=True)
    x = (x / 8.0 - 1.0).astype(np.float32).reshape(-1, ROWS, PIX)
    x = x[np.random.default_rng(2).permutation(len(x))]
    return x[:1450], x[1450:]


def glorot(fan_in, fan_out):
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    return keras.initializers.RandomUniform(-bound, bound)


class MaskedRows(keras.Model):
    def __init__(self):
        super().__init__()
        d = DIM // HEADS
        self.embed = self.add_weight(shape=(PIX, DIM), initializer=glorot(PIX, DIM), name="embed")
        self.wq = self.add_weight(shape=(DIM, HEADS, d), initializer=glorot(DIM, DIM), name="wq")
        self.wk = self.add_weight(shape=(DIM, HEADS, d), initializer=glorot(DIM, DIM), name="wk")
        self.wv = self.add_weight(shape=(DIM, HEADS, d), initializer=glorot(DIM, DIM), name="wv")
        self.wo = self.add_weight(shape=(HEADS, d, DIM), initializer=glorot(DIM, DIM), name="wo")
        self.w1 = self.add_weight(shape=(DIM, FF), initializer=glorot(DIM, FF), name="w1")
        self.w2 = self.add_weight(shape=(FF, DIM), initializer=glorot(FF, DIM), name="w2")
        self.b1 = self.add_weight(shape=(FF,), initializer="zeros", name="b1")
        self.b2 = self.add_weight(shape=(DIM,), initializer="zeros", name="b2")
        self.hidden_row = self.add_weight(shape=(DIM,), initializer="zeros", name="hidden_row")
        self.position = self.add_weight(
            shape=(ROWS, DIM), initializer=keras.initializers.RandomUniform(-0.05, 0.05), name="position")
        self.out_bias = self.add_weight(shape=(PIX,), initializer="zeros", name="out_bias")
        self.norm1 = keras.layers.LayerNormalization(epsilon=1e-5)
        self.norm2 = keras.layers.LayerNormalization(epsilon=1e-5)
        self.norm_out = keras.layers.LayerNormalization(epsilon=1e-5)

    def attend(self, h):
        q = tf.einsum("bnd,dhk->bnhk", h, self.wq)
        k = tf.einsum("bnd,dhk->bnhk", h, self.wk)
        v = tf.einsum("bnd,dhk->bnhk", h, self.wv)
        scores = tf.einsum("bnhk,bmhk->bhnm", q, k) * (DIM // HEADS) ** -0.5
        mixed = tf.einsum("bhnm,bmhk->bnhk", tf.nn.softmax(scores, axis=-1), v)
        return tf.einsum("bnhk,hkd->bnd", mixed, self.wo)

    def call(self, inputs, training=False):
        x, which = inputs
        mask = tf.one_hot(which, ROWS)[:, :, None]
        h = tf.einsum("bnp,pd->bnd", x, self.embed)
        h = (1.0 - mask) * h + mask * self.hidden_row + self.position
        for _ in range(DEPTH):
            h = h + self.attend(self.norm1(h))
            inner = tf.nn.gelu(tf.einsum("bnd,df->bnf", self.norm2(h), self.w1) + self.b1, approximate=False)
            h = h + tf.einsum("bnf,fd->bnd", inner, self.w2) + self.b2
        return tf.einsum("bnd,pd->bnp", self.norm_out(h), self.embed) + self.out_bias


class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, total):
        self.total = total

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        rise = (step + 1.0) / WARMUP
        fall = 0.5 * (1.0 + tf.cos(math.pi * (step - WARMUP) / (self.total - WARMUP)))
        return PEAK * tf.where(step < WARMUP, rise, fall)


keras.utils.set_random_seed(40)
train, valid = digits()
model = MaskedRows()
model((tf.zeros((1, ROWS, PIX)), tf.zeros((1,), tf.int32)))

optimizer = keras.optimizers.AdamW(
    learning_rate=WarmupCosine(EPOCHS * math.ceil(len(train) / BATCH)),
    weight_decay=DECAY, beta_1=0.9, beta_2=0.98, epsilon=1e-12)
matrices = [model.embed, model.wq, model.wk, model.wv, model.wo, model.w1, model.w2]
ids = {id(v) for v in matrices}
optimizer.exclude_from_weight_decay(var_list=[v for v in model.trainable_variables if id(v) not in ids])

huber = keras.losses.Huber(delta=0.5)


def masked_loss(x, which, training):
    out = model((x, which), training=training)
    return huber(tf.gather(x, which, batch_dims=1), tf.gather(out, which, batch_dims=1))


@tf.function(reduce_retracing=True)
def train_step(x):
    which = tf.random.uniform((tf.shape(x)[0],), 0, ROWS, dtype=tf.int32)
    with tf.GradientTape() as tape:
        loss = masked_loss(x, which, True)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


batches = tf.data.Dataset.from_tensor_slices(train).shuffle(len(train)).batch(BATCH)
for epoch in range(EPOCHS):
    total = 0.0
    for xb in batches:
        total += float(train_step(xb)) * len(xb)
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1}  masked huber {total / len(train):.5f}")

per_row = [float(masked_loss(tf.constant(valid), tf.fill((len(valid),), r), False)) for r in range(ROWS)]
print("validation, row by row:", " ".join(f"{v:.4f}" for v in per_row), f" mean {np.mean(per_row):.5f}")
