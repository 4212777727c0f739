"""Tagging padded sequences: raw TensorFlow, masked loss and the Adamax update written out."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(3)
np.random.seed(3)

T, FEATS, TAGS = 24, 4, 3


def tagged(n, seed):
    rng = np.random.RandomState(seed)
    x = np.zeros((n, T, FEATS), dtype="float32")
    tags = np.zeros((n, T), dtype="int32")
    mask = np.zeros((n, T), dtype="float32")
    for i in range(n):
        length = rng.randint(10, T + 1)
        s = rng.randn(length, FEATS)
        score = s[:, 0].copy()
        score[1:] += 0.8 * s[:-1, 1]
        score[3:] -= 0.8 * s[:-3, 2]
        x[i, :length] = s
        tags[i, :length] = np.digitize(score, [-0.6, 0.6])
        mask[i, :length] = 1.0
    return x, tags, mask


x_train, tags_train, mask_train = tagged(720, 5)
x_test, tags_test, mask_test = tagged(240, 6)


def kernel(width, n_in, n_out):
    limit = float(np.sqrt(6.0 / (width * n_in + width * n_out)))
    return tf.Variable(tf.random.uniform((width, n_in, n_out), -limit, limit))


w1, b1 = kernel(3, FEATS, 24), tf.Variable(tf.zeros(24))
w2, b2 = kernel(3, 24, 24), tf.Variable(tf.zeros(24))
w3, b3 = kernel(1, 24, TAGS), tf.Variable(tf.zeros(TAGS))
params = [w1, b1, w2, b2, w3, b3]


def causal(x, w, b, dilation):
    x = tf.pad(x, [[0, 0], [dilation * (w.shape[0] - 1), 0], [0, 0]])
    return tf.nn.conv1d(x, w, stride=1, padding="VALID", dilations=dilation) + b


def forward(x):
    h = tf.nn.relu(causal(x, w1, b1, 1))
    h = tf.nn.relu(causal(h, w2, b2, 2))
    return causal(h, w3, b3, 1)


def masked_loss(logits, tags, mask):
    nll = tf.reduce_logsumexp(logits, axis=-1) - tf.gather(logits, tags, batch_dims=2)
    return tf.reduce_sum(nll * mask) / tf.reduce_sum(mask)


LR, BETA1, BETA2, EPS = 4e-3, 0.9, 0.999, 1e-7
first = [tf.Variable(tf.zeros_like(p)) for p in params]
biggest = [tf.Variable(tf.zeros_like(p)) for p in params]
clock = tf.Variable(0.0)


@tf.function
def train_step(x, tags, mask):
    with tf.GradientTape() as tape:
        loss = masked_loss(forward(x), tags, mask)
    grads = tape.gradient(loss, params)
    clock.assign_add(1.0)
    rate = LR / (1.0 - tf.pow(BETA1, clock))
    for p, g, m, u in zip(params, grads, first, biggest):
        m.assign(BETA1 * m + (1.0 - BETA1) * g)
        u.assign(tf.maximum(BETA2 * u, tf.abs(g)))
        p.assign_sub(rate * m / (u + EPS))
    return loss


if __name__ == "__main__":
    for epoch in range(12):
        perm = np.random.permutation(len(x_train))
        losses = []
        for start in range(0, len(perm), 24):
            i = perm[start:start + 24]
            losses.append(float(train_step(tf.constant(x_train[i]), tf.constant(tags_train[i]),
                                           tf.constant(mask_train[i]))))
        print(f"epoch {epoch + 1}  loss {np.mean(losses):.4f}")
    logits = forward(tf.constant(x_test))
    right = (np.argmax(logits.numpy(), -1) == tags_test) * mask_test
    print(f"test loss {float(masked_loss(logits, tags_test, mask_test)):.4f}  "
          f"tag accuracy {right.sum() / mask_test.sum():.4f}")
