# topic classification of token bags
import numpy as np
import tensorflow as tf
import keras

tf.random.set_seed(17)
shuffle_rng = np.random.default_rng(17)

VOCAB, LENGTH, TOPICS, DIM = 120, 12, 4, 16
data_rng = np.random.RandomState(77)
topic_words = [data_rng.permutation(np.arange(1, VOCAB))[:25] for _ in range(TOPICS)]


def corpus(n):
    ids = np.zeros((n, LENGTH), np.int32)
    topics = data_rng.randint(0, TOPICS, size=n)
    for i, topic in enumerate(topics):
        k = data_rng.randint(5, LENGTH + 1)
        own = data_rng.rand(k) < 0.5
        ids[i, :k] = np.where(own, data_rng.choice(topic_words[topic], k), data_rng.randint(1, VOCAB, size=k))
    return ids, topics.astype(np.int32)


ids_train, y_train = corpus(1200)
ids_test, y_test = corpus(500)

table = tf.Variable(tf.random.uniform((VOCAB, DIM), -0.5, 0.5))
limit1, limit2 = np.sqrt(6 / (DIM + 32)), np.sqrt(6 / (32 + TOPICS))
w1 = tf.Variable(tf.random.uniform((DIM, 32), -limit1, limit1))
b1 = tf.Variable(tf.zeros(32))
w2 = tf.Variable(tf.random.uniform((32, TOPICS), -limit2, limit2))
b2 = tf.Variable(tf.zeros(TOPICS))
variables = [table, w1, b1, w2, b2]


def logits_of(ids):
    mask = tf.cast(ids > 0, tf.float32)[..., None]
    pooled = tf.reduce_sum(tf.gather(table, ids) * mask, axis=1) / tf.reduce_sum(mask, axis=1)
    return tf.tanh(pooled @ w1 + b1) @ w2 + b2


EPOCHS, BATCH = 20, 48
STEPS = EPOCHS * len(ids_train) // BATCH
optimizer = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(1.0, decay_steps=STEPS, alpha=0.0))
optimizer.build(variables)


@tf.function
def step(ids, y):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits_of(ids)))
    optimizer.apply(tape.gradient(loss, variables), variables)
    return loss


for epoch in range(EPOCHS):
    order = shuffle_rng.permutation(len(ids_train))
    losses = [float(step(ids_train[order[i:i + BATCH]], y_train[order[i:i + BATCH]]))
              for i in range(0, len(order), BATCH)]
    print(epoch, "loss %.4f" % np.mean(losses))
print("test accuracy %.4f" % np.mean(np.argmax(logits_of(ids_test).numpy(), 1) == y_test))
