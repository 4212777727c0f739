"""Graph convolution on a small community graph, plain TensorFlow variables."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(12)


def community_graph(n=240, k=4, features=40, seed=5):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % k
    p = np.where(y[:, None] == y[None, :], 0.07, 0.012)
    upper = np.triu(rng.random((n, n)) < p, 1)
    a = (upper | upper.T).astype("float64") + np.eye(n)
    d = 1.0 / np.sqrt(a.sum(1))
    a_hat = (d[:, None] * a * d[None, :]).astype("float32")
    centres = rng.normal(0, 0.45, (k, features))
    x = (centres[y] + rng.normal(0, 1.0, (n, features))).astype("float32")
    nodes = rng.permutation(n)
    return a_hat, x, y.astype("int64"), nodes[:60], nodes[60:120], nodes[120:]


a_hat, x, y, tr, va, te = community_graph()
a_hat, x = tf.constant(a_hat), tf.constant(x)
HIDDEN, CLASSES = 16, 4
DROP, DECAY, PATIENCE = 0.4, 2e-3, 60


def glorot(n_in, n_out):
    bound = (6.0 / (n_in + n_out)) ** 0.5
    return tf.Variable(tf.random.uniform((n_in, n_out), -bound, bound))


w1, b1 = glorot(int(x.shape[1]), HIDDEN), tf.Variable(tf.zeros(HIDDEN))
w2, b2 = glorot(HIDDEN, CLASSES), tf.Variable(tf.zeros(CLASSES))
variables = [w1, b1, w2, b2]
optimizer = tf.keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


def network(training):
    h = tf.nn.dropout(x, DROP) if training else x
    h = tf.nn.relu(a_hat @ (h @ w1) + b1)
    if training:
        h = tf.nn.dropout(h, DROP)
    return a_hat @ (h @ w2) + b2


def node_loss(logits, nodes):
    picked = tf.gather(logits, nodes)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y[nodes], logits=picked))


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        data_loss = node_loss(network(training=True), tr)
        loss = data_loss + DECAY * tf.nn.l2_loss(w1)  # l2_loss is half the sum of squares
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return data_loss


@tf.function
def val_loss():
    return node_loss(network(training=False), va)


best, kept, waited = np.inf, None, 0
for epoch in range(250):
    loss = float(train_step())
    val = float(val_loss())
    if val < best:
        best, kept, waited = val, [v.numpy() for v in variables], 0
    else:
        waited += 1
        if waited >= PATIENCE:
            break
    if epoch % 20 == 0:
        print(f"epoch {epoch:3d}  train {loss:.4f}  val {val:.4f}")

for v, value in zip(variables, kept):
    v.assign(value)
logits = network(training=False)
acc = np.mean(np.argmax(tf.gather(logits, te).numpy(), 1) == y[te])
print(f"stopped after {epoch + 1} epochs, best val {best:.4f}")
print(f"test loss {float(node_loss(logits, te)):.4f}  accuracy {acc:.4f}")
