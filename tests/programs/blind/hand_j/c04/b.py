import numpy as np
import tensorflow as tf
import keras

K, BATCH, EPOCHS = 4, 64, 36
PEAK, WARMUP, TOTAL, SMOOTH = 4e-3, 40, 360, 0.1
RHO, EPS = 0.9, 1e-8


def spirals(n, rng):
    y = rng.integers(0, K, size=n)
    r = rng.uniform(0.1, 1.0, size=n)
    a = 2 * np.pi * y / K + 3.0 * r + rng.normal(scale=0.15, size=n)
    x = np.stack([r * np.cos(a), r * np.sin(a)], axis=1)
    return (x * 2).astype("float32"), y.astype("int64")


rng = np.random.default_rng(77)
x, y = spirals(600, rng)
xt, yt = spirals(400, rng)

keras.utils.set_random_seed(2)
model = keras.Sequential([
    keras.Input((2,)),
    keras.layers.Dense(48, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    keras.layers.Dense(32, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    keras.layers.Dense(K, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
weights = [v.value for v in model.trainable_variables]
square = [tf.Variable(tf.zeros_like(w)) for w in weights]


def smoothed_loss(logits, labels):
    target = (1.0 - SMOOTH) * tf.one_hot(labels, K) + SMOOTH / K
    logp = logits - tf.reduce_logsumexp(logits, axis=1, keepdims=True)
    return -tf.reduce_mean(tf.reduce_sum(target * logp, axis=1))


@tf.function(reduce_retracing=True)
def step(xb, yb, lr):
    with tf.GradientTape() as tape:
        loss = smoothed_loss(model(xb, training=True), yb)
    for w, s, g in zip(weights, square, tape.gradient(loss, weights)):
        s.assign(RHO * s + (1.0 - RHO) * g * g)
        w.assign_sub(lr * g / (tf.sqrt(s) + EPS))
    return loss


def learning_rate(t):
    if t < WARMUP:
        return PEAK * (t + 1) / WARMUP
    return PEAK * 0.5 * (1 + np.cos(np.pi * (t - WARMUP) / (TOTAL - WARMUP)))


t = 0
for epoch in range(EPOCHS):
    order = np.random.permutation(len(x))
    total = 0.0
    for i in range(0, len(x), BATCH):
        idx = order[i:i + BATCH]
        lr = tf.constant(learning_rate(t), tf.float32)
        total += float(step(tf.constant(x[idx]), tf.constant(y[idx]), lr)) * len(idx)
        t += 1
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}")

logits = model(xt, training=False)
ce = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=yt, logits=logits))
acc = np.mean(np.argmax(logits.numpy(), axis=1) == yt)
print(f"test loss {float(ce):.4f} acc {acc:.4f}")
