"""Three noisy spirals: softmax cross-entropy, L2 term and layers by hand in TensorFlow."""
import numpy as np
import tensorflow as tf
import keras


def spirals(n_per, rng):
    xs, ys = [], []
    for c in range(3):
        r = np.sqrt(rng.uniform(0.02, 1.0, n_per))
        angle = 3.5 * r + c * 2 * np.pi / 3 + rng.normal(0, 0.15, n_per)
        xs.append(np.stack([r * np.cos(angle), r * np.sin(angle)], 1) * 2.0)
        ys.append(np.full(n_per, c))
    return np.concatenate(xs).astype(np.float32), np.concatenate(ys)


rng = np.random.default_rng(55)
x_train, y_train = spirals(310, rng)
x_test, y_test = spirals(150, rng)

BATCH, EPOCHS, ALPHA = 60, 30, 0.02
weight_rng = np.random.default_rng(4)
sizes = [2, 50, 25, 3]
kernels, biases = [], []
for n_in, n_out in zip(sizes[:-1], sizes[1:]):
    bound = np.sqrt(6.0 / (n_in + n_out))
    kernels.append(tf.Variable(weight_rng.uniform(-bound, bound, (n_in, n_out)).astype(np.float32)))
    biases.append(tf.Variable(weight_rng.uniform(-bound, bound, n_out).astype(np.float32)))
variables = kernels + biases

optimizer = keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
optimizer.build(variables)


def log_probs(x):
    h = x
    for w, b in zip(kernels[:-1], biases[:-1]):
        h = tf.maximum(tf.matmul(h, w) + b, 0.0)
    z = tf.matmul(h, kernels[-1]) + biases[-1]
    z = z - tf.reduce_max(z, axis=1, keepdims=True)
    return z - tf.math.log(tf.reduce_sum(tf.exp(z), axis=1, keepdims=True))


def cross_entropy(x, y):
    return -tf.reduce_mean(tf.gather(log_probs(x), y, batch_dims=1))


@tf.function(reduce_retracing=True)
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = cross_entropy(x, y)
        # penalty on the kernels, divided by the number of samples in the batch
        penalty = tf.add_n([tf.reduce_sum(tf.square(w)) for w in kernels])
        loss = loss + 0.5 * ALPHA * penalty / tf.cast(tf.shape(x)[0], tf.float32)
    grads = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(grads, variables))
    return loss


shuffle_rng = np.random.default_rng(4)
# training
for epoch in range(EPOCHS):
    perm = shuffle_rng.permutation(len(x_train))
    total = 0.0
    for start in range(0, len(perm), BATCH):
        idx = perm[start : start + BATCH]
        total += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1} loss {total / len(perm):.4f}")

lp = log_probs(tf.constant(x_test)).numpy()
print("test log loss", -np.mean(lp[np.arange(len(y_test)), y_test]))
print("test accuracy", np.mean(lp.argmax(1) == y_test))
