"""Q-learning from logged transitions of a toy arena; Keras layers in a GradientTape loop.

The network scores (state, one-hot action); targets come from a copy that is
refreshed every SYNC steps.  Before the first refresh Q is taken to be zero.
"""
import math

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(21)

GAMMA, SYNC, STEPS, BATCH, WIDTH = 0.9, 25, 500, 64, 40
MOVES = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype="float32") * 0.25
GOAL = np.array([0.6, 0.6], dtype="float32")


def env_step(s, a, noise=0.0):
    s2 = np.clip(s + MOVES[a] + noise, -1, 1)
    done = np.sqrt(((s2 - GOAL) ** 2).sum(-1)) < 0.3
    return s2.astype("float32"), np.where(done, 1.0, -0.05).astype("float32"), done.astype("float32")


def log_transitions(n=4000):
    rng = np.random.default_rng(77)
    s = rng.uniform(-1, 1, (n, 2)).astype("float32")
    a = rng.integers(0, 4, n)
    return (s, a) + env_step(s, a, 0.03 * rng.normal(size=(n, 2)))


S, A, S2, R, DONE = log_transitions()
SA = np.hstack([S, np.eye(4, dtype="float32")[A]])


def dense(n_in, n_out, activation=None):
    """Kernel and bias both uniform within the Glorot bound."""
    bound = math.sqrt(6.0 / (n_in + n_out))
    uniform = lambda: keras.initializers.RandomUniform(-bound, bound)
    return keras.layers.Dense(n_out, activation=activation,
                              kernel_initializer=uniform(), bias_initializer=uniform())


def build():
    return keras.Sequential([keras.Input((6,)), dense(6, WIDTH, "relu"),
                             dense(WIDTH, WIDTH, "relu"), dense(WIDTH, 1)])


net, target = build(), build()
optimizer = keras.optimizers.Adam(learning_rate=3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


@tf.function
def q_values(model, s):
    n = tf.shape(s)[0]
    pairs = tf.concat([tf.repeat(s, 4, axis=0), tf.tile(tf.eye(4), [n, 1])], axis=1)
    return tf.reshape(model(pairs, training=False), [n, 4])


@tf.function
def train_step(sa, backup):
    with tf.GradientTape() as tape:
        q = tf.squeeze(net(sa, training=True), axis=-1)
        loss = 0.5 * tf.reduce_mean(tf.square(q - backup))
    grads = tape.gradient(loss, net.trainable_variables)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return loss


def evaluate(horizon=25):
    g = np.linspace(-0.95, 0.95, 12, dtype="float32")
    s = np.stack(np.meshgrid(g, g), -1).reshape(-1, 2)
    alive, ret = np.ones(len(s)), np.zeros(len(s))
    for k in range(horizon):
        s2, r, d = env_step(s, q_values(net, tf.constant(s)).numpy().argmax(1))
        ret += alive * GAMMA ** k * r
        alive *= 1 - d
        s = s2
    return f"reached {1 - alive.mean():.3f} return {ret.mean():.3f}"


synced = False
picker = np.random.default_rng(5)

# ---- training
for step in range(1, STEPS + 1):
    i = picker.integers(0, len(R), BATCH)
    backup = R[i]
    if synced:
        backup = backup + GAMMA * (1 - DONE[i]) * q_values(target, tf.constant(S2[i])).numpy().max(1)
    loss = train_step(tf.constant(SA[i]), tf.constant(backup, tf.float32))
    if step % SYNC == 0:
        target.set_weights(net.get_weights())
        synced = True
    if step % 100 == 0:
        print(f"step {step} half mse {float(loss):.5f} {evaluate()}")
