# Contrastive learning with two noisy views, keras layers and a tape
import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

keras.utils.set_random_seed(1)

digits = load_digits()
X = (digits.data / 16.0).astype(np.float32)
Y = digits.target
perm = np.random.default_rng(5).permutation(len(X))
X, Y = X[perm], Y[perm]
Xtr, Ytr, Xte, Yte = X[:1400], Y[:1400], X[1400:], Y[1400:]

tau, keep_prob, noise_std = 0.3, 0.75, 0.15
batch_size = 100

encoder = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(80, activation="relu", kernel_initializer="he_uniform"),
    keras.layers.Dense(24, use_bias=False, kernel_initializer="glorot_uniform"),
])
optimizer = keras.optimizers.Adagrad(learning_rate=0.03, initial_accumulator_value=0.1, epsilon=1e-10)


def embed(x):
    z = encoder(x, training=True)
    return z * tf.math.rsqrt(tf.reduce_sum(z * z, axis=1, keepdims=True) + 1e-8)


def augment(x):
    kept = tf.cast(tf.random.uniform(tf.shape(x)) < keep_prob, tf.float32)
    return kept * x + tf.random.normal(tf.shape(x), stddev=noise_std)


def contrastive_loss(z1, z2):
    """Average of the two directions; every other view in the batch is a negative."""
    n = tf.shape(z1)[0]
    huge = 1e9 * tf.eye(n)
    s11 = tf.matmul(z1, z1, transpose_b=True) / tau - huge
    s22 = tf.matmul(z2, z2, transpose_b=True) / tau - huge
    s12 = tf.matmul(z1, z2, transpose_b=True) / tau
    labels = tf.range(n)
    one = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.concat([s12, s11], 1))
    two = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.concat([tf.transpose(s12), s22], 1))
    return 0.5 * (tf.reduce_mean(one) + tf.reduce_mean(two))


@tf.function
def update(xb):
    with tf.GradientTape() as tape:
        loss = contrastive_loss(embed(augment(xb)), embed(augment(xb)))
    grads = tape.gradient(loss, encoder.trainable_weights)
    optimizer.apply_gradients(zip(grads, encoder.trainable_weights))
    return loss


def centroid_accuracy():
    ztr, zte = embed(Xtr).numpy(), embed(Xte).numpy()
    centres = np.stack([ztr[Ytr == c].mean(0) for c in range(10)])
    guess = ((zte[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
    return (guess == Yte).mean()


pipeline = tf.data.Dataset.from_tensor_slices(Xtr).shuffle(1400, reshuffle_each_iteration=True)
pipeline = pipeline.batch(batch_size, drop_remainder=True)

print("accuracy before", round(float(centroid_accuracy()), 4))
for epoch in range(20):
    losses = [float(update(xb)) for xb in pipeline]
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "loss", round(float(np.mean(losses)), 4))
print("accuracy after", round(float(centroid_accuracy()), 4))
