"""Offline double Q-learning on transitions of a toy pendulum. TensorFlow / Keras layers."""
import numpy as np
import tensorflow as tf
import keras

SEED = 3
keras.utils.set_random_seed(SEED)

GAMMA, TAU, BATCH, STEPS, LR = 0.9, 0.02, 64, 500, 1e-3
FORCES = np.array([-1.0, 0.0, 1.0])


def env_step(s, a):
    """s: (n, 2) angle from upright and speed."""
    angle, speed = s[:, 0], s[:, 1]
    speed = np.clip(0.98 * speed + 0.15 * np.sin(angle) + 0.25 * FORCES[a], -1.5, 1.5)
    angle = (angle + 0.3 * speed + np.pi) % (2 * np.pi) - np.pi
    return np.stack([angle, speed], axis=1), np.cos(angle) - 0.1 * speed ** 2


def features(s):
    return np.stack([np.cos(s[:, 0]), np.sin(s[:, 0]), s[:, 1]], axis=1).astype(np.float32)


rng = np.random.default_rng(42)
N = 4000
S = np.stack([rng.uniform(-np.pi, np.pi, N), rng.uniform(-1.5, 1.5, N)], axis=1)
A = rng.integers(0, 3, N)
S2, R = env_step(S, A)
done = (rng.random(N) < 0.02).astype(np.float32)
obs, nxt, rew, act = features(S), features(S2), R.astype(np.float32), A.astype(np.int32)


def q_network():
    return keras.Sequential([
        keras.Input((3,)),
        keras.layers.Dense(48, activation="tanh", kernel_initializer="glorot_uniform"),
        keras.layers.Dense(48, activation="tanh", kernel_initializer="glorot_uniform"),
        keras.layers.Dense(3, kernel_initializer="glorot_uniform"),
    ])


online, target = q_network(), q_network()
target.set_weights(online.get_weights())
optimizer = keras.optimizers.RMSprop(learning_rate=LR, rho=0.95, momentum=0.0, epsilon=1e-5, centered=False)
optimizer.build(online.trainable_variables)
huber = keras.losses.Huber(delta=1.0)


def targets(r, s2, d):
    best = tf.argmax(online(s2, training=False), axis=1, output_type=tf.int32)
    q2 = tf.gather(target(s2, training=False), best, batch_dims=1)
    return r + GAMMA * (1.0 - d) * q2


@tf.function
def train_step(s, a, r, s2, d):
    y = targets(r, s2, d)
    with tf.GradientTape() as tape:
        q = tf.gather(online(s, training=True), a, batch_dims=1)
        loss = huber(y[:, None], q[:, None])
    grads = tape.gradient(loss, online.trainable_variables)
    optimizer.apply_gradients(zip(grads, online.trainable_variables))
    for w_t, w in zip(target.trainable_variables, online.trainable_variables):
        w_t.assign((1.0 - TAU) * w_t + TAU * w)
    return loss


replay = np.random.default_rng(SEED)
recent = []
for i in range(STEPS):
    idx = replay.integers(0, N, BATCH)
    recent.append(float(train_step(obs[idx], act[idx], rew[idx], nxt[idx], done[idx])))
    if (i + 1) % 50 == 0:
        print(f"step {i + 1:4d}  td loss {np.mean(recent[-50:]):.5f}")


def rollout(policy, horizon=60, n=100):
    r = np.random.default_rng(1)
    s = np.stack([r.uniform(-np.pi, np.pi, n), np.zeros(n)], axis=1)
    total = np.zeros(n)
    for _ in range(horizon):
        s, reward = env_step(s, policy(s, r))
        total += reward
    return total.mean() / horizon


greedy = rollout(lambda s, r: online(features(s), training=False).numpy().argmax(1))
chance = rollout(lambda s, r: r.integers(0, 3, len(s)))
print(f"reward a step: greedy {greedy:.3f}  random {chance:.3f}")
