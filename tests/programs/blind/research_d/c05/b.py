"""Offline double Q-learning with a dueling network on a 6x6 grid. TensorFlow with GradientTape."""
import numpy as np
import tensorflow as tf
import keras

SEED = 0
SIDE, GAMMA, STEPS, BATCH, SYNC, HIDDEN = 6, 0.9, 560, 96, 15, 64
GOAL, PIT = 35, 14
MOVES = [(-1, 0), (0, 1), (1, 0), (0, -1)]


def act(s, a):
    r, c = divmod(s, SIDE)
    r2 = min(max(r + MOVES[a][0], 0), SIDE - 1)
    c2 = min(max(c + MOVES[a][1], 0), SIDE - 1)
    s2 = r2 * SIDE + c2
    if s2 == GOAL:
        return s2, 1.0, 1.0
    if s2 == PIT:
        return s2, -1.0, 1.0
    return s2, -0.02, 0.0


# transitions of a random walker, made beforehand
walk = np.random.default_rng(77)
rows, s = [], 0
for _ in range(4000):
    a = int(walk.integers(4))
    s2, rew, done = act(s, a)
    rows.append((s, a, rew, s2, done))
    s = s2
    if done:
        s = int(walk.choice([k for k in range(SIDE * SIDE) if k not in (GOAL, PIT)]))
states, actions, rewards, nexts, dones = (np.array(v) for v in zip(*rows))
rewards, dones = rewards.astype("float32"), dones.astype("float32")
onehot = np.eye(SIDE * SIDE, dtype="float32")

# exact values, for the evaluation only
q_star = np.zeros((SIDE * SIDE, 4))
for _ in range(200):
    for k in range(SIDE * SIDE):
        for a in range(4):
            s2, rew, done = act(k, a)
            q_star[k, a] = rew + GAMMA * (1 - done) * q_star[s2].max()
live = [k for k in range(SIDE * SIDE) if k not in (GOAL, PIT)]



keras.utils.set_random_seed(SEED)


def build():
    x = keras.Input((SIDE * SIDE,))
    h = keras.layers.Dense(HIDDEN, activation="tanh")(x)
    value = keras.layers.Dense(1)(h)
    adv = keras.layers.Dense(4)(h)
    q = value + adv - keras.ops.mean(adv, axis=1, keepdims=True)
    return keras.Model(x, q)


online, target = build(), build()
target.set_weights(online.get_weights())
opt = keras.optimizers.Adagrad(learning_rate=0.12, initial_accumulator_value=0.1, epsilon=1e-12)
opt.build(online.trainable_variables)
DELTA = 0.5


@tf.function
def train_step(s, a, r, s2, d):
    best = tf.argmax(online(s2), axis=1)
    boot = tf.reduce_sum(target(s2) * tf.one_hot(best, 4), axis=1)
    y = tf.stop_gradient(r + GAMMA * (1.0 - d) * boot)
    with tf.GradientTape() as tape:
        q = tf.reduce_sum(online(s) * tf.one_hot(a, 4), axis=1)
        err = tf.abs(q - y)
        loss = tf.reduce_mean(tf.where(err <= DELTA, 0.5 * err * err, DELTA * (err - 0.5 * DELTA)))
    grads = tape.gradient(loss, online.trainable_variables)
    opt.apply_gradients(zip(grads, online.trainable_variables))
    return loss


# ---- training
sampler = np.random.default_rng(SEED)
for step in range(STEPS):
    idx = sampler.integers(0, len(states), BATCH)
    loss = train_step(tf.constant(onehot[states[idx]]), tf.constant(actions[idx]),
                      tf.constant(rewards[idx]), tf.constant(onehot[nexts[idx]]), tf.constant(dones[idx]))
    if (step + 1) % SYNC == 0:
        target.set_weights(online.get_weights())
    if (step + 1) % 80 == 0:
        print(f"step {step + 1} loss {float(loss):.5f}")

q = online(onehot).numpy()
print("rms error of Q %.4f" % np.sqrt(np.mean((q[live] - q_star[live]) ** 2)))
greedy = q[live].argmax(1)
good = q_star[live, greedy] >= q_star[live].max(1) - 1e-9
print("share of states with a best action %.3f" % good.mean())
