# A character-level language model: one-hot letters -> GRU -> next letter.
# Keras layers and optimizer, own training loop.
import keras
import numpy as np
import tensorflow as tf

SEQ, BATCH, EPOCHS, UNITS = 32, 64, 15, 64


def make_text(n_sentences=1500, seed=99):
    rng = np.random.default_rng(seed)
    who = ["the old fox", "a small bird", "my sister", "the baker", "our king"]
    does = ["sees", "follows", "paints", "forgets", "finds"]
    what = ["the river", "a red boat", "seven apples", "the moon", "a quiet house"]
    when = ["at night", "in june", "every day", "again"]
    pick = lambda words: words[rng.integers(len(words))]
    return " ".join(f"{pick(who)} {pick(does)} {pick(what)} {pick(when)}." for _ in range(n_sentences))


text = make_text()
alphabet = sorted(set(text))
V = len(alphabet)
codes = np.array([alphabet.index(c) for c in text], dtype=np.int64)
windows = np.stack([codes[i:i + SEQ + 1] for i in range(0, (1280 + 128) * SEQ, SEQ)])
train, test = windows[:1280], windows[1280:]

keras.utils.set_random_seed(55)
letters = keras.Input((None, V))
h = keras.layers.GRU(UNITS, return_sequences=True, reset_after=True,
                     kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                     bias_initializer="zeros")(letters)
model = keras.Model(letters, keras.layers.Dense(V)(h))

steps = EPOCHS * (len(train) // BATCH)
optimizer = keras.optimizers.Adam(
    keras.optimizers.schedules.CosineDecay(0.006, decay_steps=steps, alpha=0.0),
    beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.build(model.trainable_variables)


def loss_of(batch):
    logits = model(tf.one_hot(batch[:, :-1], V), training=True)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=batch[:, 1:], logits=logits))


@tf.function
def train_step(batch):
    with tf.GradientTape() as tape:
        loss = loss_of(batch)
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 0.2)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(0)
for epoch in range(EPOCHS):
    order = rng.permutation(len(train))
    losses = [float(train_step(tf.constant(train[order[i:i + BATCH]])))
              for i in range(0, len(train), BATCH)]
    print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f} test {float(loss_of(tf.constant(test))):.4f}")

written = "t"
for _ in range(20):
    seen = tf.one_hot([[alphabet.index(c) for c in written]], V)
    written += alphabet[int(tf.argmax(model(seen, training=False)[0, -1]))]
print(written)
