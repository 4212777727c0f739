"""Fit a small student to soft label distributions."""
import numpy as np
import tensorflow as tf
import keras

SEED = 21
EPOCHS = 16
BATCH = 48


def soft_label_data(n=1200, n_test=300, d=10, k=6):
    rng = np.random.default_rng(99)
    x = rng.normal(size=(n + n_test, d))
    w1 = rng.normal(size=(d, 20)) / np.sqrt(d)
    w2 = rng.normal(size=(20, k)) / np.sqrt(20)
    z = 2.5 * np.tanh(x @ w1) @ w2
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    p = 0.98 * p + 0.02 / k
    x, p = x.astype(np.float32), p.astype(np.float32)
    return (x[:n], p[:n]), (x[n:], p[n:])


keras.utils.set_random_seed(SEED)
(xtr, ptr), (xte, pte) = soft_label_data()
student = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform",
                       bias_initializer="zeros"),
    keras.layers.Dense(6, activation="softmax", kernel_initializer="glorot_uniform",
                       bias_initializer="zeros"),
])
kl = keras.losses.KLDivergence()
opt = keras.optimizers.SGD(0.1, momentum=0.9)


@tf.function
def train_step(x, p):
    with tf.GradientTape() as tape:
        loss = kl(p, student(x, training=True))
    grads = tape.gradient(loss, student.trainable_variables)
    opt.apply_gradients(zip(grads, student.trainable_variables))
    return loss


rng = np.random.default_rng(SEED)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(xtr))
    acc = 0.0
    for i in range(0, len(xtr), BATCH):
        b = perm[i:i + BATCH]
        acc += float(train_step(tf.constant(xtr[b]), tf.constant(ptr[b]))) * len(b)
    print(f"[{epoch + 1:02d}] kl {acc / len(xtr):.5f}")

q = student(xte, training=False).numpy()
agree = np.mean(q.argmax(1) == pte.argmax(1))
print(f"test kl {float(kl(pte, q)):.5f}  same top class {agree:.3f}")
