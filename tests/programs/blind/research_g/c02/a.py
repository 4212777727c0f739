"""GAN with an R1 gradient penalty on a ring of Gaussians. TensorFlow, two optimizers."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(2)

N, BATCH, EPOCHS, NOISE, GAMMA = 2048, 128, 18, 4, 0.05

rng = np.random.default_rng(7)
angles = rng.integers(0, 6, N) * (2 * np.pi / 6)
centres = np.stack([np.cos(angles), np.sin(angles)], axis=1) * 1.5
data = (centres + 0.12 * rng.standard_normal((N, 2))).astype(np.float32)


def mlp(sizes, slope):
    net = keras.Sequential([keras.Input((sizes[0],))])
    for width in sizes[1:-1]:
        net.add(keras.layers.Dense(width, kernel_initializer="he_uniform", bias_initializer="zeros"))
        net.add(keras.layers.LeakyReLU(negative_slope=slope))
    net.add(keras.layers.Dense(sizes[-1], kernel_initializer="glorot_uniform",
                               bias_initializer="zeros"))
    return net


gen = mlp([NOISE, 64, 64, 2], 0.1)
disc = mlp([2, 64, 64, 1], 0.2)
g_opt = keras.optimizers.Adam(2e-3, beta_1=0.5, beta_2=0.99, epsilon=1e-12)
d_opt = keras.optimizers.Adam(4e-3, beta_1=0.5, beta_2=0.99, epsilon=1e-12)
g_opt.build(gen.trainable_variables)
d_opt.build(disc.trainable_variables)


def bce(logits, target):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(
        labels=tf.fill(tf.shape(logits), target), logits=logits))


@tf.function
def train_step(real):
    n = tf.shape(real)[0]
    fake = gen(tf.random.normal((n, NOISE)), training=True)
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(real)
            d_real = disc(real, training=True)
            total = tf.reduce_sum(d_real)
        slope = inner.gradient(total, real)
        r1 = tf.reduce_mean(tf.reduce_sum(tf.square(slope), axis=1))
        d_fake = disc(fake, training=True)
        d_loss = bce(d_real, 0.9) + bce(d_fake, 0.0) + 0.5 * GAMMA * r1
    grads = tape.gradient(d_loss, disc.trainable_variables)
    d_opt.apply_gradients(zip(grads, disc.trainable_variables))

    with tf.GradientTape() as tape:
        g_loss = bce(disc(gen(tf.random.normal((n, NOISE)), training=True), training=True), 1.0)
    grads = tape.gradient(g_loss, gen.trainable_variables)
    g_opt.apply_gradients(zip(grads, gen.trainable_variables))
    return d_loss, g_loss


def energy_distance(p, q):
    def mean_dist(u, v):
        return np.linalg.norm(u[:, None] - v[None], axis=2).mean()
    return 2.0 * mean_dist(p, q) - mean_dist(p, p) - mean_dist(q, q)


def draw(n=1000):
    return gen(tf.random.normal((n, NOISE)), training=False).numpy()


before = energy_distance(draw(), data[:1000])
dataset = tf.data.Dataset.from_tensor_slices(data).shuffle(N, reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    dl, gl = [], []
    for real in dataset:
        d_loss, g_loss = train_step(real)
        dl.append(float(d_loss))
        gl.append(float(g_loss))
    print(f"epoch {epoch + 1:2d}  D {np.mean(dl):.4f}  G {np.mean(gl):.4f}")

sample = draw()
print(f"energy distance: untrained {before:.4f}  trained {energy_distance(sample, data[:1000]):.4f}  "
      f"mean radius {np.linalg.norm(sample, axis=1).mean():.3f}")
