"""Filling in hidden tokens with one attention block; the token table is also the output layer (Keras)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import initializers, layers, ops

keras.utils.set_random_seed(1234)

VOCAB, LENGTH, DIM, HEADS, HIDE = 12, 10, 32, 4, 0.2
EPOCHS, BATCH = 15, 64

# sequences a, a+d, a+2d, ... modulo the vocabulary
rng = np.random.default_rng(55)
first = rng.integers(0, VOCAB, (2500, 1))
jump = rng.choice([1, 2, 3, 5], (2500, 1))
seqs = ((first + jump * np.arange(LENGTH)) % VOCAB).astype("int32")
train, test = seqs[:2000], seqs[2000:]
hidden_test = (rng.random((500, LENGTH)) < HIDE).astype("float32")


def normal(std):
    return initializers.RandomNormal(mean=0.0, stddev=std)


class TiedTable(layers.Layer):
    """one row per token and one for 'hidden'; used to read tokens in and to score them at the end"""

    def build(self, _):
        self.table = self.add_weight(shape=(VOCAB + 1, DIM), initializer=normal(0.2), name="table")
        self.place = self.add_weight(shape=(LENGTH, DIM), initializer=normal(0.2), name="place")

    def call(self, tokens):
        return ops.einsum("blv,vd->bld", ops.one_hot(tokens, VOCAB + 1), self.table) + self.place

    def score(self, h):
        return ops.einsum("bld,vd->blv", h, self.table[:VOCAB])


class Attention(layers.Layer):
    def build(self, _):
        d = DIM // HEADS
        self.wq = self.add_weight(shape=(DIM, HEADS, d), initializer=normal(DIM**-0.5), name="q")
        self.wk = self.add_weight(shape=(DIM, HEADS, d), initializer=normal(DIM**-0.5), name="k")
        self.wv = self.add_weight(shape=(DIM, HEADS, d), initializer=normal(DIM**-0.5), name="v")
        self.wo = self.add_weight(shape=(HEADS, d, DIM), initializer=normal(DIM**-0.5), name="o")

    def call(self, h):
        q = ops.einsum("bld,dhk->bhlk", h, self.wq)
        k = ops.einsum("bld,dhk->bhlk", h, self.wk)
        v = ops.einsum("bld,dhk->bhlk", h, self.wv)
        w = ops.softmax(ops.einsum("bhik,bhjk->bhij", q, k) * (DIM // HEADS) ** -0.5, axis=-1)
        return ops.einsum("bhik,hkd->bid", ops.einsum("bhij,bhjk->bhik", w, v), self.wo)


class Filler(keras.Model):
    def __init__(self):
        super().__init__()
        self.tied = TiedTable()
        self.att = Attention()
        self.up = layers.Dense(64, activation="relu", kernel_initializer="he_uniform")
        self.down = layers.Dense(DIM, kernel_initializer="glorot_uniform")
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def call(self, tokens):
        h = self.tied(tokens)
        h = h + self.att(h)
        h = h + self.down(self.up(h))
        return self.tied.score(h)

    def filled_loss(self, tokens, hidden):
        logits = self(tf.where(hidden > 0, VOCAB, tokens))
        ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tokens, logits=logits)
        return tf.reduce_sum(ce * hidden) / tf.maximum(tf.reduce_sum(hidden), 1.0), logits

    def train_step(self, data):
        tokens, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        hidden = tf.cast(tf.random.uniform(tf.shape(tokens)) < HIDE, tf.float32)
        with tf.GradientTape() as tape:
            loss, _ = self.filled_loss(tokens, hidden)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}


model = Filler()
model(train[:2])
model.compile(
    optimizer=keras.optimizers.Adagrad(
        learning_rate=0.08, initial_accumulator_value=0.1, epsilon=1e-7, global_clipnorm=1.0
    )
)
hist = model.fit(train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for e in range(2, EPOCHS, 3):
    print(f"epoch {e + 1}: loss {hist.history['loss'][e]:.4f}")

loss, logits = model.filled_loss(tf.constant(test), tf.constant(hidden_test))
right = (np.argmax(logits, axis=-1) == test) * hidden_test
print(f"test loss {float(loss):.4f}, hidden tokens found {right.sum() / hidden_test.sum():.4f}")
