# Two-layer graph convolutional network from raw TensorFlow variables
import keras
import numpy as np
import tensorflow as tf

CLASSES, NODES, WORDS, HIDDEN = 4, 400, 60, 16


def make_graph(seed=31):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, CLASSES, NODES)
    same = label[:, None] == label[None, :]
    upper = np.triu(rng.random((NODES, NODES)) < np.where(same, 0.04, 0.007), 1)
    adj = (upper | upper.T).astype(np.float64) + np.eye(NODES)
    d = 1 / np.sqrt(adj.sum(1))
    adj = (d[:, None] * adj * d[None, :]).astype(np.float32)
    topic = rng.random((CLASSES, WORDS)) < 0.25
    words = rng.random((NODES, WORDS)) < np.where(topic[label], 0.2, 0.06)
    order = rng.permutation(NODES)
    return adj, words.astype(np.float32), label.astype(np.int64), order[:80], order[80:180], order[180:]


tf.random.set_seed(2)
adj, words, label, train, val, test = make_graph()
adj, words = tf.constant(adj), tf.constant(words)


def glorot_uniform(rows, cols):
    limit = np.sqrt(6.0 / (rows + cols))
    return tf.Variable(tf.random.uniform([rows, cols], -limit, limit))


W1, B1 = glorot_uniform(WORDS, HIDDEN), tf.Variable(tf.zeros([HIDDEN]))
W2, B2 = glorot_uniform(HIDDEN, CLASSES), tf.Variable(tf.zeros([CLASSES]))
params = [W1, B1, W2, B2]


def gcn(rate):
    x = tf.nn.dropout(words, rate=rate) if rate > 0 else words
    h = tf.nn.relu(tf.matmul(adj, tf.matmul(x, W1)) + B1)
    h = tf.nn.dropout(h, rate=rate) if rate > 0 else h
    return tf.matmul(adj, tf.matmul(h, W2)) + B2


def cross_entropy(logits, nodes):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=label[nodes], logits=tf.gather(logits, nodes)))


optimizer = keras.optimizers.Adagrad(learning_rate=0.3, initial_accumulator_value=0.1, epsilon=1e-10)
optimizer.build(params)


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        loss = cross_entropy(gcn(0.5), train)
        loss += 1e-3 * tf.reduce_sum(tf.square(W1))
    optimizer.apply_gradients(zip(tape.gradient(loss, params), params))
    return loss


@tf.function
def validation_loss():
    return cross_entropy(gcn(0.0), val)


best_loss, best_params, bad = np.inf, None, 0
for epoch in range(300):
    loss = float(train_step())
    val_loss = float(validation_loss())
    if epoch % 20 == 0:
        print(f"epoch {epoch}: loss {loss:.4f} val_loss {val_loss:.4f}")
    if val_loss < best_loss:
        best_loss, best_params, bad = val_loss, [p.numpy() for p in params], 0
        continue
    bad += 1
    if bad >= 30:
        break

for p, value in zip(params, best_params):
    p.assign(value)
right = np.argmax(gcn(0.0).numpy(), axis=1) == label
print(f"stopped after {epoch + 1} epochs, best val_loss {best_loss:.4f}, "
      f"val accuracy {right[val].mean():.4f}, test accuracy {right[test].mean():.4f}")
