"""Graph convolutions on a stochastic block model, dense adjacency (custom Keras layers + tape).

Few labelled nodes; link prediction on the hidden embedding is a second task.
"""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(4)

N, CLASSES, FEATS, HIDDEN = 180, 3, 12, 16
STEPS, LR, L2, LINK, DROP, PAIRS = 200, 5e-3, 5e-4, 0.3, 0.4, 200


def block_model():
    rng = np.random.default_rng(31)
    y = np.repeat(np.arange(CLASSES), N // CLASSES)
    p = np.where(y[:, None] == y[None], 0.12, 0.02)
    upper = np.triu(rng.uniform(size=(N, N)) < p, 1)
    adj = (upper + upper.T).astype("float32")
    feats = rng.normal(size=(N, FEATS)) + 0.6 * rng.normal(size=(CLASSES, FEATS))[y]
    labelled = np.zeros(N, "float32")
    for c in range(CLASSES):
        labelled[rng.choice(np.flatnonzero(y == c), 8, replace=False)] = 1
    edges = np.argwhere(upper).astype("int32")
    return adj, feats.astype("float32"), y.astype("int32"), labelled, edges


adj, feats, y, labelled, edges = block_model()
a_loop = adj + np.eye(N, dtype="float32")
scale = 1.0 / np.sqrt(a_loop.sum(1))
a_hat = (scale[:, None] * a_loop * scale[None]).astype("float32")


class GraphConv(layers.Layer):
    def __init__(self, units, activation=None, kernel_regularizer=None):
        super().__init__()
        self.units = units
        self.activation = keras.activations.get(activation)
        self.kernel_regularizer = kernel_regularizer

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], self.units),
                                      initializer="glorot_uniform",
                                      regularizer=self.kernel_regularizer)
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, x):
        return self.activation(tf.constant(a_hat) @ (x @ self.kernel) + self.bias)


class GCN(keras.Model):
    def __init__(self):
        super().__init__()
        self.drop_in, self.drop_mid = layers.Dropout(DROP), layers.Dropout(DROP)
        self.conv1 = GraphConv(HIDDEN, "elu", keras.regularizers.L2(L2))
        self.conv2 = GraphConv(CLASSES)

    def call(self, x, training=False):
        h = self.conv1(self.drop_in(x, training=training))
        return h, self.conv2(self.drop_mid(h, training=training))


model = GCN()
model(feats)
optimizer = keras.optimizers.RMSprop(learning_rate=LR, rho=0.9, momentum=0.0, epsilon=1e-7)
xent = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
bce = keras.losses.BinaryCrossentropy(from_logits=True)


def objective(x, pairs, linked, training=True):
    h, logits = model(x, training=training)
    node = tf.reduce_sum(xent(y, logits) * labelled) / tf.reduce_sum(labelled)
    score = tf.reduce_sum(tf.gather(h, pairs[:, 0]) * tf.gather(h, pairs[:, 1]), axis=1)
    link = bce(linked[:, None], score[:, None])
    return node + LINK * link + tf.add_n(model.losses)


@tf.function
def train_step(x, pairs, linked):
    with tf.GradientTape() as tape:
        loss = objective(x, pairs, linked)
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


draw = np.random.default_rng(14)
linked = tf.constant(np.repeat([1.0, 0.0], PAIRS).astype("float32"))

# ---- training
for step in range(STEPS):
    pos = edges[draw.integers(0, len(edges), PAIRS)]
    neg = draw.integers(0, N, (PAIRS, 2)).astype("int32")
    loss = train_step(tf.constant(feats), tf.constant(np.concatenate([pos, neg])), linked)
    if step % 40 == 0 or step == STEPS - 1:
        guess = model(feats, training=False)[1].numpy().argmax(1)
        acc = np.mean((guess == y)[labelled == 0])
        print(f"step {step} loss {float(loss):.4f} accuracy on unlabelled nodes {acc:.3f}")
