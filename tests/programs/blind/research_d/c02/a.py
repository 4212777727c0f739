"""WGAN with gradient penalty on a ring of four blobs. Keras models, hand-written loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(7)
rng = np.random.default_rng(7)

N, BATCH, EPOCHS, N_CRITIC, ZDIM, GP = 1920, 64, 12, 2, 4, 0.5
centres = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], dtype="float32")
gen_data = np.random.default_rng(2024)
real = (centres[gen_data.integers(0, 4, N)] + 0.1 * gen_data.standard_normal((N, 2))).astype("float32")


def dense(units):
    return layers.Dense(units, kernel_initializer="he_uniform", bias_initializer="zeros")


def leaky():
    return layers.LeakyReLU(negative_slope=0.2)


generator = keras.Sequential([keras.Input((ZDIM,)), dense(32), leaky(), dense(32), leaky(), dense(2)])
critic = keras.Sequential([keras.Input((2,)), dense(48), leaky(), dense(48), leaky(), dense(1)])
g_opt = keras.optimizers.RMSprop(learning_rate=3e-3, rho=0.9, momentum=0.0, epsilon=1e-6, centered=False)
c_opt = keras.optimizers.RMSprop(learning_rate=5e-3, rho=0.9, momentum=0.0, epsilon=1e-6, centered=False)
g_opt.build(generator.trainable_variables)
c_opt.build(critic.trainable_variables)


@tf.function
def critic_step(x):
    z = tf.random.normal((BATCH, ZDIM))
    alpha = tf.random.uniform((BATCH, 1))
    fake = generator(z, training=True)
    mixed = alpha * x + (1.0 - alpha) * fake
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(mixed)
            score = critic(mixed, training=True)
        slope = inner.gradient(score, mixed)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=1) + 1e-12)
        penalty = tf.reduce_mean(tf.square(norm - 1.0))
        gap = tf.reduce_mean(critic(fake, training=True)) - tf.reduce_mean(critic(x, training=True))
        loss = gap + GP * penalty
    grads = tape.gradient(loss, critic.trainable_variables)
    c_opt.apply_gradients(zip(grads, critic.trainable_variables))
    return loss, gap


@tf.function
def generator_step():
    z = tf.random.normal((BATCH, ZDIM))
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(z, training=True), training=True))
    grads = tape.gradient(loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


def quality(samples):
    d = np.linalg.norm(samples[:, None] - centres[None], axis=2)
    share = np.bincount(d.argmin(1), minlength=4) / len(samples)
    return d.min(1).mean(), share


# ---- training
probe = np.random.default_rng(5).standard_normal((1000, ZDIM)).astype("float32")
print("before: distance %.4f" % quality(generator(probe).numpy())[0])
step = 0
for epoch in range(EPOCHS):
    gaps = []
    perm = rng.permutation(N)
    for i in range(0, N, BATCH):
        loss, gap = critic_step(tf.constant(real[perm[i:i + BATCH]]))
        gaps.append(float(gap))
        step += 1
        if step % N_CRITIC == 0:
            generator_step()
    print(f"epoch {epoch + 1:2d} wasserstein {-np.mean(gaps):.4f}")
dist, share = quality(generator(probe).numpy())
print(f"after: distance {dist:.4f} share of modes {np.round(share, 3)}")
