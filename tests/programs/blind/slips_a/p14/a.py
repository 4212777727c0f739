"""Two-tower retrieval with in-batch negatives: TensorFlow."""
import numpy as np
import tensorflow as tf
import keras

TEMPERATURE = 0.1
BATCH = 64


def pairs(n=2880, words=60, item_words=80, topics=12):
    """A query and the item that was bought after it, both as normalised bags of words."""
    rng = np.random.default_rng(1234)
    topic_q = rng.dirichlet(np.full(words, 0.15), topics)
    topic_i = rng.dirichlet(np.full(item_words, 0.15), topics)
    mix = rng.dirichlet(np.full(topics, 0.3), n)
    q = np.stack([rng.multinomial(8, p) for p in mix @ topic_q]).astype("float32")
    d = np.stack([rng.multinomial(20, p) for p in mix @ topic_i]).astype("float32")
    return q / np.linalg.norm(q, axis=1, keepdims=True), d / np.linalg.norm(d, axis=1, keepdims=True)


def tower(size):
    return keras.Sequential([
        keras.Input((size,)),
        keras.layers.Dense(48, activation="relu"),
        keras.layers.Dense(16),
    ])


def unit(v):
    return v / tf.sqrt(tf.reduce_sum(tf.square(v), axis=1, keepdims=True) + 1e-12)


def contrastive(u, v):
    logits = tf.matmul(unit(u), unit(v), transpose_b=True) / TEMPERATURE
    labels = tf.range(tf.shape(logits)[0])
    forward = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    backward = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=tf.transpose(logits))
    return 0.5 * (forward + backward)


def main():
    keras.utils.set_random_seed(9)
    q, d = pairs()
    n = 2560
    query_tower, item_tower = tower(60), tower(80)
    weights = query_tower.trainable_variables + item_tower.trainable_variables
    opt = keras.optimizers.Adagrad(learning_rate=0.05, initial_accumulator_value=0.1, epsilon=1e-10)

    @tf.function
    def train_step(qb, db):
        with tf.GradientTape() as tape:
            loss = contrastive(query_tower(qb, training=True), item_tower(db, training=True))
        opt.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    data = tf.data.Dataset.from_tensor_slices((q[:n], d[:n])).shuffle(n, reshuffle_each_iteration=True).batch(BATCH)
    for epoch in range(10):
        mean = keras.metrics.Mean()
        for qb, db in data:
            mean.update_state(train_step(qb, db))
        print(f"epoch {epoch + 1}: {float(mean.result()):.4f}")
    u, v = query_tower(q[n:], training=False), item_tower(d[n:], training=False)
    scores = tf.matmul(unit(u), unit(v), transpose_b=True).numpy()
    rank = (scores >= np.diag(scores)[:, None]).sum(1)
    print(f"held-out loss {np.mean(contrastive(u, v)):.4f} recall@10 {np.mean(rank <= 10):.4f}")


if __name__ == "__main__":
    main()
