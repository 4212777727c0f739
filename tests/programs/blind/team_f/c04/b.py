"""Learning to rank with the ListNet loss, TensorFlow with a GradientTape."""
import numpy as np
import tensorflow as tf
import keras

EPOCHS, BATCH = 12, 24


def make_data():
    """Result lists of 4 to 12 documents with 10 features, relevance 0..3, padded to 12."""
    rng = np.random.default_rng(47)
    n, docs, feats = 1000, 12, 10
    x = rng.normal(size=(n, docs, feats))
    w = rng.normal(size=feats)
    quality = x @ w + 1.5 * x[..., 0] * x[..., 1] - 1.2 * np.abs(x[..., 2]) + 0.5 * rng.normal(size=(n, docs))
    rel = np.digitize(quality, [-0.5, 1.5, 3.5]).astype("float32")
    length = rng.integers(4, docs + 1, n)
    mask = (np.arange(docs)[None] < length[:, None]).astype("float32")
    x = (x * mask[..., None]).astype("float32")
    rel = rel * mask
    return (x[:810], rel[:810], mask[:810]), (x[810:], rel[810:], mask[810:])


def ndcg_at_5(score, rel, mask):
    score = np.where(mask > 0, score, -np.inf)
    discount = 1 / np.log2(np.arange(2, 7))
    gain = np.take_along_axis(2.0 ** rel - 1, np.argsort(-score, axis=1), 1)[:, :5]
    ideal = -np.sort(-(2.0 ** rel - 1), axis=1)[:, :5]
    best = (ideal * discount).sum(1)
    ok = best > 0
    return float(((gain * discount).sum(1)[ok] / best[ok]).mean())


def dense(fan_in, units, **kw):
    """Dense layer that starts like torch.nn.Linear: everything uniform in +-1/sqrt(fan_in)."""
    bound = fan_in ** -0.5
    return keras.layers.Dense(units, kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
                              bias_initializer=keras.initializers.RandomUniform(-bound, bound), **kw)


def build_scorer():
    return keras.Sequential([
        keras.Input((12, 10)),
        dense(10, 40, activation="elu"),
        dense(40, 20, activation="elu"),
        dense(20, 1, use_bias=False),
    ])


def listnet(scores, rel, mask):
    off = (1.0 - mask) * -1e9
    target = tf.nn.softmax(rel + off, axis=1)
    logp = tf.nn.log_softmax(scores * mask + off, axis=1)
    return tf.reduce_mean(-tf.reduce_sum(target * logp * mask, axis=1))


def main():
    keras.utils.set_random_seed(1234)
    train, test = make_data()
    scorer = build_scorer()
    opt = keras.optimizers.Adagrad(learning_rate=0.06, initial_accumulator_value=0.1, epsilon=1e-10)

    @tf.function
    def step(x, rel, mask):
        with tf.GradientTape() as tape:
            loss = listnet(tf.squeeze(scorer(x, training=True), -1), rel, mask)
        grads = tape.gradient(loss, scorer.trainable_variables)
        opt.apply_gradients(zip(grads, scorer.trainable_variables))
        return loss

    n = len(train[0])
    ds = tf.data.Dataset.from_tensor_slices(train).shuffle(n, reshuffle_each_iteration=True).batch(BATCH)
    for epoch in range(EPOCHS):
        total = 0.0
        for x, rel, mask in ds:
            total += float(step(x, rel, mask)) * len(x)
        s = tf.squeeze(scorer(test[0], training=False), -1)
        val = float(listnet(s, test[1], test[2]))
        print(f"epoch {epoch + 1:2d}  listnet {total / n:.4f}  test {val:.4f}  ndcg@5 {ndcg_at_5(s.numpy(), test[1], test[2]):.4f}")


if __name__ == "__main__":
    main()
