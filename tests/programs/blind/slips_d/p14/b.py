"""Imbalanced four-class problem: TensorFlow variables, class weights, dropout mask and RMSprop by hand."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(13)


def make_data(n, rng):
    centres = np.random.default_rng(77).normal(size=(4, 16)) * 0.55
    y = rng.choice(4, size=n, p=[0.62, 0.22, 0.11, 0.05])
    x = centres[y] + rng.normal(size=(n, 16)) * np.where(y == 0, 1.0, 0.8)[:, None]
    x[:, 8:] = np.abs(x[:, 8:]) * np.sign(x[:, :8])
    return x.astype("float32"), y.astype("int64")


rng = np.random.default_rng(12)
x_train, y_train = make_data(1000, rng)
x_test, y_test = make_data(1000, rng)
counts = np.bincount(y_train, minlength=4)
class_weights = tf.constant(len(y_train) / (4.0 * counts), tf.float32)

variables = []
for n_in, n_out in ((16, 40), (40, 40), (40, 4)):
    limit = 1.0 / np.sqrt(n_in)
    variables.append(tf.Variable(tf.random.uniform([n_in, n_out], -limit, limit)))
    variables.append(tf.Variable(tf.random.uniform([n_out], -limit, limit)))
W1, b1, W2, b2, W3, b3 = variables
mean_square = [tf.Variable(tf.zeros_like(v)) for v in variables]

KEEP, LR, ALPHA, EPS, BATCH = 0.7, 1e-3, 0.95, 1e-8, 48


def elu(x):
    return tf.where(x > 0, x, tf.math.expm1(tf.minimum(x, 0.0)))


def dropout(x, training):
    if training:
        mask = tf.cast(tf.random.uniform(tf.shape(x)) < KEEP, x.dtype)
        return x * mask
    return x


def network(x, training):
    h = dropout(elu(tf.matmul(x, W1) + b1), training)
    h = dropout(elu(tf.matmul(h, W2) + b2), training)
    return tf.matmul(h, W3) + b3


def weighted_cross_entropy(labels, logits):
    log_p = logits - tf.reduce_logsumexp(logits, axis=1, keepdims=True)
    picked = tf.reduce_sum(tf.one_hot(labels, 4) * log_p, axis=1)
    w = tf.gather(class_weights, labels)
    return -tf.reduce_sum(w * picked) / tf.reduce_sum(w)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = weighted_cross_entropy(yb, network(xb, True))
    for p, s, g in zip(variables, mean_square, tape.gradient(loss, variables)):
        s.assign(ALPHA * s + (1 - ALPHA) * g * g)
        p.assign_sub(LR * g / (tf.sqrt(s) + EPS))
    return loss


shuffler = np.random.default_rng(13)
for epoch in range(15):
    perm = shuffler.permutation(len(x_train))
    epoch_losses = []
    for i in range(0, len(perm), BATCH):
        sel = perm[i:i + BATCH]
        epoch_losses.append(float(train_step(tf.constant(x_train[sel]), tf.constant(y_train[sel]))))
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1} loss {np.mean(epoch_losses):.4f}")

z = network(tf.constant(x_test), False)
pred = tf.argmax(z, axis=1).numpy()
recalls = [np.mean(pred[y_test == c] == c) for c in range(4)]
print(f"weighted loss {float(weighted_cross_entropy(tf.constant(y_test), z)):.4f} "
      f"balanced accuracy {np.mean(recalls):.4f}")
