"""ListNet ranking of padded lists, TensorFlow with a gradient tape."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers


def make_queries(n=1260, docs=12, d=16):
    rng = np.random.default_rng(909)
    length = rng.integers(6, docs + 1, n)
    mask = (np.arange(docs)[None, :] < length[:, None]).astype("float32")
    x = rng.normal(size=(n, docs, d)) + 0.5 * rng.normal(size=(n, 1, d))
    w = rng.normal(size=d) / np.sqrt(d)
    s = x @ w + 0.6 * np.tanh(x[..., 0] * x[..., 1]) + 0.3 * rng.normal(size=(n, docs))
    grade = np.digitize(s, [-0.7, 0.1, 0.9, 1.6])
    return (x * mask[..., None]).astype("float32"), (grade * mask).astype("float32"), mask


def ndcg(scores, grades, mask, k=5):
    values = []
    for s, g, m in zip(scores, grades, mask):
        s, g = s[m > 0], g[m > 0]
        disc = 1 / np.log2(np.arange(2, 2 + min(k, len(g))))
        ideal = ((2 ** np.sort(g)[::-1][:k] - 1) * disc).sum()
        if ideal > 0:
            values.append(((2 ** g[np.argsort(-s)][:k] - 1) * disc).sum() / ideal)
    return float(np.mean(values))


def build():
    return keras.Sequential([
        keras.Input((12, 16)),
        layers.Dense(40),
        layers.LayerNormalization(epsilon=1e-5),
        layers.Activation("tanh"),
        layers.Dense(20, activation="tanh"),
        layers.Dense(1, use_bias=False),
        layers.Reshape((12,)),
    ])


def list_loss(scores, grades, mask):
    hide = (1.0 - mask) * -1e9
    target = tf.nn.softmax(grades + hide, axis=1)
    per_query = tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=scores + hide)
    return tf.reduce_mean(per_query)


# --- training
keras.utils.set_random_seed(0)
x, g, m = make_queries()
n = 960
model = build()
opt = keras.optimizers.Adamax(learning_rate=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function
def step(xb, gb, mb):
    with tf.GradientTape() as tape:
        loss = list_loss(model(xb, training=True), gb, mb)
    opt.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss


order = np.random.default_rng(0)
for epoch in range(10):
    perm = order.permutation(n)
    losses = []
    for i in range(0, n, 32):
        idx = perm[i:i + 32]
        losses.append(float(step(x[idx], g[idx], m[idx])))
    print("epoch %d listnet %.4f" % (epoch + 1, np.mean(losses)))
s = model(x[n:], training=False)
print("held-out listnet %.4f ndcg@5 %.4f" % (float(list_loss(s, g[n:], m[n:])), ndcg(s.numpy(), g[n:], m[n:])))
