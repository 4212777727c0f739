"""Alternating updates of two networks in one train step."""

import tensorflow as tf
from zoo_data import arguments

seed, _ = arguments()
tf.keras.utils.set_random_seed(seed)
L = tf.keras.layers
generator = tf.keras.Sequential([tf.keras.Input((4,)), L.Dense(32, activation="relu"), L.Dense(2)])
critic = tf.keras.Sequential([tf.keras.Input((2,)), L.Dense(32), L.LeakyReLU(), L.Dense(1)])
g_opt, c_opt = tf.keras.optimizers.Adam(1e-3, beta_1=0.5), tf.keras.optimizers.Adam(1e-3, beta_1=0.5)
bce = tf.keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step():
    angle = tf.random.uniform((64, 1), 0, 6.28)
    real = tf.concat([tf.cos(angle), tf.sin(angle)], 1)
    with tf.GradientTape() as g_tape, tf.GradientTape() as c_tape:
        fake = generator(tf.random.normal((64, 4)), training=True)
        on_real, on_fake = critic(real, training=True), critic(fake, training=True)
        c_loss = bce(tf.ones_like(on_real), on_real) + bce(tf.zeros_like(on_fake), on_fake)
        g_loss = bce(tf.ones_like(on_fake), on_fake)
    g_opt.apply_gradients(zip(g_tape.gradient(g_loss, generator.trainable_variables), generator.trainable_variables))
    c_opt.apply_gradients(zip(c_tape.gradient(c_loss, critic.trainable_variables), critic.trainable_variables))
    return g_loss, c_loss


for step in range(300):
    g_loss, c_loss = train_step()
print(float(g_loss), float(c_loss))
