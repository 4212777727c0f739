"""Graph convolutions on a block-model graph; dense adjacency, Keras layers, fit with its own train_step."""
import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(61)

rng = np.random.default_rng(17)
N, C, F = 240, 4, 40
label = rng.integers(0, C, size=N)
same = label[:, None] == label[None, :]
upper = np.triu(rng.random((N, N)) < np.where(same, 0.06, 0.012), 1)
adj = (upper | upper.T).astype(np.float64) + np.eye(N)
deg = adj.sum(1)
a_hat = (adj / np.sqrt(deg[:, None] * deg[None, :])).astype(np.float32)
feats = (rng.random((N, F)) < np.where(np.arange(F)[None, :] % C == label[:, None], 0.22, 0.12)).astype(np.float32)
train_mask = np.zeros(N, np.float32)
for c in range(C):
    train_mask[np.where(label == c)[0][:12]] = 1.0
onehot = np.eye(C, dtype=np.float32)[label]


class GraphConv(keras.layers.Layer):
    def __init__(self, units, adjacency, regularizer=None):
        super().__init__()
        self.units = units
        self.adjacency = tf.constant(adjacency)
        self.regularizer = regularizer

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform",
                                      regularizer=self.regularizer, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x):
        return tf.matmul(self.adjacency, tf.matmul(x, self.kernel)) + self.bias


class GCN(keras.Model):
    def __init__(self):
        super().__init__()
        self.drop_in = keras.layers.Dropout(0.3)
        self.conv1 = GraphConv(16, a_hat, keras.regularizers.L2(1e-3))
        self.drop_mid = keras.layers.Dropout(0.5)
        self.conv2 = GraphConv(C, a_hat)
        self.loss_value = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_value]

    def call(self, x, training=False):
        h = tf.nn.relu(self.conv1(self.drop_in(x, training=training)))
        return self.conv2(self.drop_mid(h, training=training))

    def train_step(self, data):
        x, y, mask = data
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            ce = tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=logits)
            loss = tf.reduce_sum(mask * ce) / tf.reduce_sum(mask) + tf.add_n(self.losses)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.loss_value.update_state(loss)
        return {"loss": self.loss_value.result()}


gcn = GCN()
gcn(feats)
gcn.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-8))


def test_accuracy():
    guess = gcn(feats, training=False).numpy().argmax(1)
    return np.mean(guess[train_mask == 0] == label[train_mask == 0])


print("test accuracy before %.3f" % test_accuracy())
for block in range(4):
    log = gcn.fit(feats, onehot, sample_weight=train_mask, batch_size=N, epochs=40, shuffle=False, verbose=0)
    print("epoch %d loss %.4f test accuracy %.3f" % (40 * (block + 1), log.history["loss"][-1], test_accuracy()))
