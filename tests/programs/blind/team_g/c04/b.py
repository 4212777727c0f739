"""BiLSTM tagger, Keras layers and a GradientTape loop; padded places are masked."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

VOCAB, TAGS, MAXLEN = 61, 5, 16


def make_sentences(n, seed):
    """Padded word ids (0 = padding), tags, lengths. Words are ambiguous, neighbours decide."""
    lang = np.random.RandomState(8)
    move = lang.dirichlet(np.full(TAGS, 0.35), size=TAGS)
    emit = lang.dirichlet(np.full(VOCAB - 1, 0.12), size=TAGS)
    rng = np.random.RandomState(seed)
    words = np.zeros((n, MAXLEN), "int64")
    tags = np.zeros((n, MAXLEN), "int64")
    lengths = rng.randint(4, MAXLEN + 1, size=n)
    for i, length in enumerate(lengths):
        t = rng.randint(TAGS)
        for j in range(length):
            tags[i, j] = t
            words[i, j] = 1 + rng.choice(VOCAB - 1, p=emit[t])
            t = rng.choice(TAGS, p=move[t])
    return words, tags, lengths


tf.config.threading.set_intra_op_parallelism_threads(1)
keras.utils.set_random_seed(31)

ids_in = keras.Input((MAXLEN,), dtype="int64")
h = layers.Embedding(VOCAB, 16, mask_zero=True,
                     embeddings_initializer=keras.initializers.RandomUniform(-0.1, 0.1))(ids_in)
h = layers.Bidirectional(layers.LSTM(24, return_sequences=True), merge_mode="concat")(h)
model = keras.Model(ids_in, layers.Dense(TAGS)(h))

schedule = keras.optimizers.schedules.InverseTimeDecay(1.5, decay_steps=100, decay_rate=0.5)
optimizer = keras.optimizers.SGD(schedule, momentum=0.0)


def token_loss(logits, tags, mask):
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tags, logits=logits)
    return tf.reduce_sum(ce * mask) / tf.reduce_sum(mask)


@tf.function(reduce_retracing=True)
def train_step(words, tags):
    mask = tf.cast(words > 0, tf.float32)
    with tf.GradientTape() as tape:
        loss = token_loss(model(words, training=True), tags, mask)
    grads = tape.gradient(loss, model.trainable_variables)
    grads = [tf.convert_to_tensor(g) for g in grads]      # the embedding's gradient, made dense
    grads, _ = tf.clip_by_global_norm(grads, 1.0)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


words, tags, _ = make_sentences(1520, 1)
data = tf.data.Dataset.from_tensor_slices((words, tags))
data = data.shuffle(len(words), reshuffle_each_iteration=True).batch(32, drop_remainder=False)
for epoch in range(10):
    for wb, tb in data:
        loss = train_step(wb, tb)
    print(f"epoch {epoch + 1}: last batch {float(loss):.4f}")

w, t, _ = make_sentences(500, 2)
m = (w > 0).astype("float32")
z = model(w, training=False)
hit = ((z.numpy().argmax(-1) == t) * m).sum() / m.sum()
print(f"test loss {float(token_loss(z, t, m)):.4f}  token accuracy {hit:.4f}")
