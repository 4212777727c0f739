import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras

GAMMA, DELTA, LR, BATCH, EPOCHS, SYNC = 0.8, 0.1, 0.004, 64, 20, 50


def transitions(n=1600, seed=30):
    rng = np.random.default_rng(seed)
    s = rng.uniform(-1, 1, (n, 3)) * [1.5, 1.0, 1.0]       # x, v, target
    a = rng.integers(0, 3, n)
    v = 0.8 * s[:, 1] + 0.3 * (a - 1)
    x = s[:, 0] + 0.4 * v
    r = -np.abs(x - s[:, 2]) + 0.05 * rng.standard_normal(n)
    done = (np.abs(x) > 1.5).astype(float)
    r = r - 2.0 * done
    s2 = np.stack([np.clip(x, -2, 2), v, s[:, 2]], 1)
    return [u.astype("float32") for u in (s, r, s2, done)] + [a.astype("int32")]


S, R, S2, D, A = transitions()
keras.utils.set_random_seed(64)


def qnet():
    kw = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(32, activation="tanh", **kw),
                             keras.layers.Dense(32, activation="tanh", **kw), keras.layers.Dense(3, **kw)])


q, q_target = qnet(), qnet()
q_target.set_weights(q.get_weights())
huber = keras.losses.Huber(delta=DELTA)
opt = keras.optimizers.SGD(learning_rate=LR, momentum=0.9)
opt.build(q.trainable_variables)


@tf.function
def learn(s, a, r, s2, done):
    y = r + GAMMA * (1 - done) * tf.reduce_max(q_target(s2), 1)
    with tf.GradientTape() as tape:
        pred = tf.gather(q(s, training=True), a, batch_dims=1)
        loss = huber(y, pred)
    opt.apply_gradients(zip(tape.gradient(loss, q.trainable_variables), q.trainable_variables))
    return tf.reduce_mean(tf.abs(pred - y))


rng = np.random.default_rng(64)
count = 0
for epoch in range(EPOCHS):
    td = []
    for j in np.split(rng.permutation(len(S)), len(S) // BATCH):
        td.append(float(learn(S[j], A[j], R[j], S2[j], D[j])))
        count += 1
        if count % SYNC == 0:
            q_target.set_weights(q.get_weights())
    print(f"epoch {epoch:2d} |td| {np.mean(td):.4f} mean max q {q(S).numpy().max(1).mean():.4f}")
