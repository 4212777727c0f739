import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss

SEED = 21
tf.random.set_seed(SEED)
shuffler = np.random.default_rng(SEED)

X, y = load_wine(return_X_y=True)
perm = np.random.default_rng(5).permutation(len(X))
X, y = X[perm], y[perm]
X_tr, X_te, y_tr, y_te = X[:128], X[128:], y[:128], y[128:]
mu, sd = X_tr.mean(0), X_tr.std(0)
X_tr = ((X_tr - mu) / sd).astype(np.float32)
X_te = ((X_te - mu) / sd).astype(np.float32)

sizes = [13, 24, 16, 3]
BATCH = 16
ALPHA = 0.05
weights, biases = [], []
for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
    bound = np.sqrt(6.0 / (fan_in + fan_out))
    weights.append(keras.Variable(tf.random.uniform((fan_in, fan_out), -bound, bound)))
    biases.append(keras.Variable(tf.random.uniform((fan_out,), -bound, bound)))


def forward(x):
    h = x
    for W, b in zip(weights[:-1], biases[:-1]):
        h = tf.nn.relu(tf.matmul(h, W) + b)
    return tf.matmul(h, weights[-1]) + biases[-1]


variables = weights + biases
opt = keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
opt.build(variables)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        logits = forward(xb)
        ce = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=yb, logits=logits))
        penalty = tf.add_n([tf.reduce_sum(tf.square(W)) for W in weights])
        loss = ce + 0.5 * ALPHA / BATCH * penalty
    grads = tape.gradient(loss, [v.value for v in variables])
    opt.apply(grads, variables)
    return loss


# train
for epoch in range(40):
    idx = shuffler.permutation(len(X_tr))
    for s in range(0, len(idx), BATCH):
        j = idx[s:s + BATCH]
        train_step(tf.constant(X_tr[j]), tf.constant(y_tr[j]))

p_tr = tf.nn.softmax(forward(X_tr)).numpy()
p_te = tf.nn.softmax(forward(X_te)).numpy()
print("train log loss", round(log_loss(y_tr, p_tr.astype(np.float64)), 4))
print("test log loss", round(log_loss(y_te, p_te.astype(np.float64)), 4))
print("test accuracy", round(float((p_te.argmax(1) == y_te).mean()), 4))
