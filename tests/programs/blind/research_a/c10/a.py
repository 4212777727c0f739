"""Graph convolution with a dense adjacency matrix; a tape and a Keras optimizer."""
import numpy as np
import tensorflow as tf

tf.random.set_seed(8)

# ---- a planted partition of 240 nodes, four communities, weak features
rng = np.random.RandomState(33)
n, c, d = 240, 4, 20
label = np.arange(n) % c
p = np.where(label[:, None] == label[None, :], 0.10, 0.015)
upper = np.triu(rng.rand(n, n) < p, k=1)
adj = (upper | upper.T).astype("float64") + np.eye(n)
inv_sqrt = 1.0 / np.sqrt(adj.sum(1))
a_hat = tf.constant(inv_sqrt[:, None] * adj * inv_sqrt[None, :], tf.float32)
centres = rng.randn(c, d)
feat = tf.constant(0.5 * centres[label] + rng.randn(n, d), tf.float32)
nodes = rng.permutation(n)
train_ids, test_ids = nodes[:40], nodes[40:]
y = tf.constant(label, tf.int32)


class GCN(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.lin1 = tf.keras.layers.Dense(32, use_bias=False, kernel_initializer="glorot_uniform")
        self.lin2 = tf.keras.layers.Dense(c, kernel_initializer="glorot_uniform",
                                          bias_initializer="zeros")
        self.drop1 = tf.keras.layers.Dropout(0.3)
        self.drop2 = tf.keras.layers.Dropout(0.5)

    def call(self, x, training=False):
        h = tf.nn.elu(a_hat @ self.lin1(self.drop1(x, training=training)))
        return a_hat @ self.lin2(self.drop2(h, training=training))


model = GCN()
model(feat)
opt = tf.keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-7)


def pick_xent(logits, ids):
    z, t = tf.gather(logits, ids), tf.gather(y, ids)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=t, logits=z))


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        logits = model(feat, training=True)
        prob = tf.nn.softmax(logits)
        spread = tf.reduce_mean(-tf.reduce_sum(prob * tf.nn.log_softmax(logits), axis=1))
        data = pick_xent(logits, train_ids)
        l2 = tf.nn.l2_loss(model.lin1.kernel)
        loss = data + 0.1 * spread + 5e-3 * l2
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return data, spread


# ---- training
for epoch in range(150):
    data, spread = train_step()
    if (epoch + 1) % 25 == 0:
        print(f"epoch {epoch + 1} data {float(data):.4f} entropy {float(spread):.4f}")

logits = model(feat, training=False)
hit = np.argmax(logits.numpy(), axis=1) == label
print(f"train accuracy {hit[train_ids].mean():.4f} test accuracy {hit[test_ids].mean():.4f} "
      f"test xent {float(pick_xent(logits, test_ids)):.4f}")
