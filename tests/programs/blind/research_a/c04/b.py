"""Distillation with plain TensorFlow operations: variables, tape, momentum, all written out."""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

gen = tf.random.Generator.from_seed(0)

digits = load_digits()
perm = np.random.RandomState(5).permutation(len(digits.target))
X = (digits.data[perm] / 16.0).astype(np.float32)
y = digits.target[perm].astype(np.int32)
x_train, y_train = X[:1400], y[:1400]
x_test, y_test = X[1400:], y[1400:]

# ---- frozen teacher
rs = np.random.RandomState(8)
omega = (0.6 * rs.randn(64, 400)).astype(np.float32)
phase = rs.uniform(0, 2 * np.pi, 400).astype(np.float32)
phi = np.cos(x_train @ omega + phase).astype(np.float64)
onehot = 2.0 * np.eye(10)[y_train] - 1.0
readout = np.linalg.solve(phi.T @ phi + 1.0 * np.eye(400), phi.T @ onehot).astype(np.float32)


def teacher_logits(x):
    return 5.0 * (tf.cos(x @ omega + phase) @ readout)


# ---- student
def glorot(shape):
    receptive = int(np.prod(shape[:-2]))
    limit = float(np.sqrt(6.0 / (receptive * (shape[-2] + shape[-1]))))
    return tf.Variable(gen.uniform(shape, -limit, limit))


k1, b1 = glorot((3, 3, 1, 8)), tf.Variable(tf.zeros(8))
k2, b2 = glorot((3, 3, 8, 16)), tf.Variable(tf.zeros(16))
w3, b3 = glorot((3 * 3 * 16, 10)), tf.Variable(tf.zeros(10))
params = [k1, b1, k2, b2, w3, b3]
velocity = [tf.Variable(tf.zeros_like(p)) for p in params]


def student_logits(x):
    h = tf.reshape(x, (-1, 8, 8, 1))
    h = tf.nn.relu(tf.nn.conv2d(h, k1, strides=1, padding="SAME") + b1)
    h = tf.nn.relu(tf.nn.conv2d(h, k2, strides=2, padding="VALID") + b2)
    return tf.reshape(h, (-1, 144)) @ w3 + b3


lr, mu = 0.02, 0.9
temp, soft_weight, decay = 2.5, 0.7, 2e-4


@tf.function
def step(x, labels):
    t_log = tf.nn.log_softmax(teacher_logits(x) / temp)
    with tf.GradientTape() as tape:
        z = student_logits(x)
        s_log = tf.nn.log_softmax(z / temp)
        kl = tf.reduce_mean(tf.reduce_sum(tf.exp(t_log) * (t_log - s_log), axis=1))
        picked = tf.gather(tf.nn.log_softmax(z), labels, batch_dims=1)
        hard = -tf.reduce_mean(picked)
        penalty = decay * sum(tf.reduce_sum(k * k) for k in (k1, k2, w3))
        loss = soft_weight * temp ** 2 * kl + (1.0 - soft_weight) * hard + penalty
    for p, v, g in zip(params, velocity, tape.gradient(loss, params)):
        v.assign(mu * v - lr * g)
        p.assign_add(mu * v - lr * g)
    return loss, kl, hard


# ---- training
order = np.random.default_rng(0)
for epoch in range(15):
    shuffled = order.permutation(1400)
    for lo in range(0, 1400, 64):
        pick = shuffled[lo:lo + 64]
        loss, kl, hard = step(x_train[pick], y_train[pick])
    print(f"epoch {epoch + 1} loss {float(loss):.4f} kl {float(kl):.4f} hard {float(hard):.4f}")

s = student_logits(x_test).numpy()
t = teacher_logits(x_test).numpy()
print("teacher accuracy %.4f" % np.mean(t.argmax(1) == y_test))
print("student accuracy %.4f agreement %.4f" % (np.mean(s.argmax(1) == y_test),
                                                np.mean(s.argmax(1) == t.argmax(1))))
