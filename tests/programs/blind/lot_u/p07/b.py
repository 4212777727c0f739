import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

WIN, SIGMA, BATCH, EPOCHS, LR, MOM = 12, 0.4, 50, 20, 0.005, 0.9


def windows(n, seed):
    rng = np.random.default_rng(seed)
    f, ph, amp = rng.uniform(0.5, 1.5, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1)), rng.uniform(0.5, 1.5, (n, 1))
    return (amp * np.sin(2 * np.pi * f * np.arange(WIN) / WIN + ph)).astype(np.float32)


train, test = windows(1000, 1), windows(400, 2)
test_noisy = test + SIGMA * np.random.default_rng(3).standard_normal(test.shape).astype(np.float32)
tf.random.set_seed(40)


def layer(n_in, n_out):
    b = np.sqrt(6.0 / (n_in + n_out))
    return tf.Variable(tf.random.uniform((n_in, n_out), -b, b)), tf.Variable(tf.random.uniform((n_out,), -b, b))


W1, b1 = layer(WIN, 40)
W2, b2 = layer(40, WIN)
params = [W1, b1, W2, b2]
velocity = [tf.Variable(tf.zeros_like(p), trainable=False) for p in params]


def denoise(x):
    return tf.tanh(x @ W1 + b1) @ W2 + b2


@tf.function
def step(clean):
    noisy = clean + SIGMA * tf.random.normal(tf.shape(clean))
    with tf.GradientTape() as tape:
        loss = 0.5 * tf.reduce_mean(tf.square(denoise(noisy) - clean))
    for p, v, g in zip(params, velocity, tape.gradient(loss, params)):
        v.assign(MOM * v - LR * g)
        p.assign_add(MOM * v - LR * g)      # nesterov
    return loss


rng = np.random.default_rng(40)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(train))
    losses = [float(step(tf.constant(train[perm[i:i + BATCH]]))) for i in range(0, len(train), BATCH)]
    err = 0.5 * np.mean((denoise(test_noisy).numpy() - test) ** 2)
    print(f"epoch {epoch + 1:2d}  loss {np.mean(losses):.5f}  test {err:.5f}")
