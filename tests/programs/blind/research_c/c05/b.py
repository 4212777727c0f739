"""Double Q-learning from stored transitions, dueling heads (Keras + tf.GradientTape)."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(400)
MOVES = np.array([[0.1, 0.0], [-0.1, 0.0], [0.0, 0.1], [0.0, -0.1]])
GOAL = np.array([0.6, -0.4])


def env_step(s, a, rng):
    s2 = np.clip(s + MOVES[a] + 0.01 * rng.normal(size=s.shape), -1, 1)
    dist = np.sqrt(((s2 - GOAL) ** 2).sum(-1))
    done = dist < 0.15
    return s2, np.where(done, 1.0, -0.1 * dist), done


rng = np.random.default_rng(99)
S = rng.uniform(-1, 1, size=(4000, 2))
A = rng.integers(0, 4, size=4000)
S2, R, D = env_step(S, A, rng)
S, S2, R, D = (v.astype(np.float32) for v in (S, S2, R, D))


def build():
    s = keras.Input((2,))
    h = layers.Dense(48, activation="relu")(s)
    h = layers.Dense(48, activation="relu")(h)
    v = layers.Dense(1)(h)
    adv = layers.Dense(4)(h)
    out = v + adv - keras.ops.mean(adv, axis=1, keepdims=True)
    return keras.Model(s, out)


GAMMA, TAU, BATCH, STEPS = 0.95, 0.02, 64, 500
online, target = build(), build()
target.set_weights(online.get_weights())
optimizer = keras.optimizers.AdamW(learning_rate=1e-3, weight_decay=1e-2, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
optimizer.exclude_from_weight_decay(var_names=["bias"])


def huber(error, delta=0.5):
    size = tf.abs(error)
    return tf.where(size <= delta, 0.5 * tf.square(error), delta * (size - 0.5 * delta))


@tf.function
def learn(s, a, r, s2, d):
    choice = tf.argmax(online(s2, training=False), axis=1)
    future = tf.reduce_sum(target(s2, training=False) * tf.one_hot(choice, 4), axis=1)
    backup = tf.stop_gradient(r + GAMMA * (1.0 - d) * future)
    with tf.GradientTape() as tape:
        picked = tf.reduce_sum(online(s, training=True) * tf.one_hot(a, 4), axis=1)
        loss = tf.reduce_mean(huber(picked - backup))
    grads = tape.gradient(loss, online.trainable_variables)
    optimizer.apply_gradients(zip(grads, online.trainable_variables))
    for t, o in zip(target.trainable_variables, online.trainable_variables):
        t.assign((1.0 - TAU) * t + TAU * o)
    return loss


def rollout_return():
    r2 = np.random.default_rng(1)
    s = r2.uniform(-1, 1, size=(50, 2))
    alive, total = np.ones(50), np.zeros(50)
    for _ in range(25):
        a = online(s.astype(np.float32), training=False).numpy().argmax(1)
        s, r, d = env_step(s, a, r2)
        total += alive * r
        alive *= 1 - d
    return total.mean()


sampler = np.random.default_rng(602)
print("return before %.3f" % rollout_return())
for it in range(1, STEPS + 1):
    idx = sampler.integers(0, 4000, size=BATCH)
    loss = learn(*(tf.constant(v[idx]) for v in (S, A, R, S2, D)))
    if it % 100 == 0:
        print("step %d loss %.5f return %.3f" % (it, float(loss), rollout_return()))
