"""Text generation, letter by letter, with a GRU (Keras layers, gradient tape)."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(17)
shuffler = np.random.default_rng(170)

SEQ, BATCH, UNITS, EPOCHS = 20, 32, 56, 8


def make_text(sentences=800, seed=6):
    rng = np.random.default_rng(seed)
    who = ["the cat", "a dog", "the old man", "my aunt", "a bird"]
    does = ["sees", "finds", "likes", "follows", "hears"]
    what = ["the moon", "a red ball", "the river", "some bread", "a song"]
    parts = []
    for _ in range(sentences):
        i, j = rng.integers(0, 5, 2)
        k = (i + j + rng.integers(0, 2)) % 5
        parts.append(f"{who[i]} {does[j]} {what[k]}. ")
    return "".join(parts)


text = make_text()
chars = sorted(set(text))
index = {c: i for i, c in enumerate(chars)}
codes = np.array([index[c] for c in text], dtype="int64")
V = len(chars)

count = len(codes) // (SEQ + 1)
chunks = codes[: count * (SEQ + 1)].reshape(count, SEQ + 1)
n_train = 800
train, held = chunks[:n_train], chunks[n_train:]

gru = layers.GRU(UNITS, return_sequences=True, reset_after=True)
readout = layers.Dense(V)
model = keras.Sequential([keras.Input((SEQ, V)), gru, readout])
optimizer = keras.optimizers.SGD(learning_rate=0.3, momentum=0.9, nesterov=True)


def mean_loss(batch):
    logits = model(tf.one_hot(batch[:, :-1], V))
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=batch[:, 1:], logits=logits))


@tf.function
def step(batch):
    with tf.GradientTape() as tape:
        loss = mean_loss(batch)
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 0.5)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    order = shuffler.permutation(n_train)
    losses = [float(step(tf.constant(train[order[k : k + BATCH]]))) for k in range(0, n_train, BATCH)]
    print(f"epoch {epoch + 1}  loss {np.mean(losses):.4f}")

print(f"held-out loss {float(mean_loss(tf.constant(held))):.4f}")

line = [index[c] for c in "the cat sees the moon"[:SEQ]]
pick = np.random.default_rng(1)
for _ in range(40):
    z = model(tf.one_hot([line[-SEQ:]], V))[0, -1].numpy().astype("float64")
    p = np.exp(z - z.max())
    line.append(int(pick.choice(V, p=p / p.sum())))
print("".join(chars[i] for i in line))
