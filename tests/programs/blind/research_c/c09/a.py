"""Wasserstein critic between two fixed clouds, with a gradient penalty and averaged weights (Keras + tapes)."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(5)

rng = np.random.default_rng(12)
n = 1024
angle = 2 * np.pi * rng.integers(0, 8, size=n) / 8
ring = 1.5 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.08 * rng.normal(size=(n, 2))
blob = np.array([0.8, 0.3]) + 0.4 * rng.normal(size=(n, 2))
ring, blob = ring.astype(np.float32), blob.astype(np.float32)

LAMBDA, DECAY, EPOCHS, BATCH = 5.0, 0.98, 25, 64


def make_critic():
    return keras.Sequential([
        keras.Input((2,)),
        keras.layers.Dense(48),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.Dense(48),
        keras.layers.LeakyReLU(negative_slope=0.2),
        keras.layers.Dense(1, use_bias=False),
    ])


critic = make_critic()
averaged = make_critic()
averaged.set_weights(critic.get_weights())
opt = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.5, beta_2=0.9, epsilon=1e-12)


@tf.function
def step(a, b):
    u = tf.random.uniform([tf.shape(a)[0], 1])
    between = u * a + (1.0 - u) * b
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(between)
            score = critic(between, training=True)
        slope = inner.gradient(score, between)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=1) + 1e-12)
        gap = tf.reduce_mean(critic(a, training=True)) - tf.reduce_mean(critic(b, training=True))
        loss = -gap + LAMBDA * tf.reduce_mean(tf.square(norm - 1.0))
    variables = critic.trainable_variables
    opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
    for slow, fast in zip(averaged.trainable_variables, variables):
        slow.assign(DECAY * slow + (1.0 - DECAY) * fast)
    return loss


def distance(net):
    return float(tf.reduce_mean(net(ring)) - tf.reduce_mean(net(blob)))


pairs = tf.data.Dataset.from_tensor_slices((ring, blob)).shuffle(n, reshuffle_each_iteration=True).batch(BATCH)
print("start: distance %.4f" % distance(critic))
for epoch in range(EPOCHS):
    losses = [float(step(a, b)) for a, b in pairs]
    if epoch % 6 == 0 or epoch == EPOCHS - 1:
        print("epoch %d loss %.4f distance %.4f averaged %.4f"
              % (epoch, np.mean(losses), distance(critic), distance(averaged)))
