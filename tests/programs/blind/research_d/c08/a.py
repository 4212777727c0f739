"""Semi-supervised node classification with a two-layer graph convolution. Keras layers, own loop."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(1)

NODES, CLASSES, FEATS, HIDDEN = 360, 4, 40, 16
STEPS, LR, L2, DROP, PER_CLASS = 200, 0.01, 5e-4, 0.5, 12

r = np.random.default_rng(31)
label = r.integers(0, CLASSES, NODES)
prob = np.where(label[:, None] == label[None], 0.05, 0.008)
upper = np.triu(r.random((NODES, NODES)) < prob, 1)
adj = (upper | upper.T).astype("float64") + np.eye(NODES)
deg = adj.sum(1)
adj = (adj / np.sqrt(deg[:, None] * deg[None])).astype("float32")
proto = r.standard_normal((CLASSES, FEATS))
feats = (0.5 * proto[label] + r.standard_normal((NODES, FEATS))).astype("float32")
known = np.zeros(NODES, dtype=bool)
for c in range(CLASSES):
    known[np.flatnonzero(label == c)[:PER_CLASS]] = True


class GraphConv(keras.layers.Layer):
    def __init__(self, units, l2=0.0):
        super().__init__()
        self.units = units
        self.reg = keras.regularizers.L2(l2) if l2 else None

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel",
                                      initializer="glorot_uniform", regularizer=self.reg)
        self.bias = self.add_weight(shape=(self.units,), name="bias", initializer="zeros")

    def call(self, x, a):
        return tf.einsum("ij,jk,kl->il", a, x, self.kernel) + self.bias


class GCN(keras.Model):
    def __init__(self):
        super().__init__()
        self.drop1 = keras.layers.Dropout(DROP)
        self.conv1 = GraphConv(HIDDEN, l2=L2)
        self.drop2 = keras.layers.Dropout(DROP)
        self.conv2 = GraphConv(CLASSES)

    def call(self, x, a, training=False):
        h = tf.nn.relu(self.conv1(self.drop1(x, training=training), a))
        return self.conv2(self.drop2(h, training=training), a)


A, X, Y = tf.constant(adj), tf.constant(feats), tf.constant(label)
mask = tf.constant(known.astype("float32"))
model = GCN()
model(X, A)
opt = keras.optimizers.Adam(learning_rate=LR, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
opt.build(model.trainable_variables)


def masked_loss(logits, m):
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=Y, logits=logits)
    return tf.reduce_sum(ce * m) / tf.reduce_sum(m)


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        data_loss = masked_loss(model(X, A, training=True), mask)
        loss = data_loss + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return data_loss, loss


# ---- training
for step in range(STEPS):
    data_loss, loss = train_step()
    if (step + 1) % 40 == 0:
        print(f"step {step + 1} data loss {float(data_loss):.4f} with penalty {float(loss):.4f}")

logits = model(X, A, training=False).numpy()
hit = logits.argmax(1) == label
print(f"unlabelled nodes: accuracy {hit[~known].mean():.4f}, "
      f"loss {float(masked_loss(tf.constant(logits), 1.0 - mask)):.4f}")
