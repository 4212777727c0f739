import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

GAMMA, CLIP, VCOEF, ECOEF = 0.7, 0.2, 0.5, 0.01


def rollouts(n_episodes=60, horizon=25, seed=3):
    rng = np.random.default_rng(seed)
    S, A, G = [], [], []
    for _ in range(n_episodes):
        x, v = rng.uniform(-1, 1), rng.uniform(-0.5, 0.5)
        states, acts, rews = [], [], []
        for _ in range(horizon):
            a = rng.integers(3)
            states.append([x, v])
            acts.append(a)
            v = 0.5 * v + 0.4 * (a - 1)
            x = np.clip(x + 0.6 * v, -2, 2)
            rews.append(-(x * x + 0.1 * v * v))
        g, rets = 0.0, []
        for r in reversed(rews):
            g = r + GAMMA * g
            rets.append(g)
        S += states
        A += acts
        G += rets[::-1]
    G = np.array(G)
    return np.array(S, "float32"), np.array(A, "int32"), ((G - G.mean()) / G.std()).astype("float32")


S, A, G = rollouts()
LOGMU = float(np.log(1 / 3))
keras.utils.set_random_seed(0)

inp = keras.Input((2,))
h = keras.layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros")(inp)
h = keras.layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
logits = keras.layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
value_out = keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
ac = keras.Model(inp, [logits, value_out])
opt = keras.optimizers.RMSprop(learning_rate=1e-3, epsilon=1e-20)
opt.build(ac.trainable_variables)


def losses(s, a, g):
    z, v = ac(s, training=True)
    logp, v = tf.nn.log_softmax(z, -1), tf.squeeze(v, -1)
    adv = tf.stop_gradient(g - v)
    ratio = tf.exp(tf.gather(logp, a, batch_dims=1) - LOGMU)
    surr = tf.reduce_mean(tf.minimum(ratio * adv, tf.clip_by_value(ratio, 1 - CLIP, 1 + CLIP) * adv))
    value = tf.reduce_mean((v - g) ** 2)
    ent = -tf.reduce_mean(tf.reduce_sum(tf.exp(logp) * logp, 1))
    return -surr + VCOEF * value - ECOEF * ent, surr, value, ent


@tf.function
def update(s, a, g):
    with tf.GradientTape() as tape:
        out = losses(s, a, g)
    grads = tape.gradient(out[0], ac.trainable_variables)
    opt.apply_gradients(zip(grads, ac.trainable_variables))
    return out


rng = np.random.default_rng(0)
for epoch in range(14):
    perm = rng.permutation(len(S))
    log = []
    for i in range(0, len(S), 100):
        j = perm[i:i + 100]
        log.append([float(t) for t in update(S[j], A[j], G[j])])
    print("epoch %2d  loss %.4f  surrogate %.4f  value %.4f  entropy %.4f" % (epoch, *np.mean(log, 0)))
print("final on all transitions: loss %.4f surrogate %.4f value %.4f entropy %.4f" % tuple(float(t) for t in losses(S, A, G)))
