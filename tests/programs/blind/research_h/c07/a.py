"""Semi-supervised graph convolution on a stochastic block model, Keras layers and fit()."""
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(8)

N, CLASSES, FEATS = 300, 3, 16
rng = np.random.default_rng(2024)
y = rng.integers(0, CLASSES, N)
prob = np.where(y[:, None] == y[None, :], 0.06, 0.012)
upper = np.triu(rng.random((N, N)) < prob, 1)
adj = (upper | upper.T).astype("float32") + np.eye(N, dtype="float32")
d = 1.0 / np.sqrt(adj.sum(1))
adj = (d[:, None] * adj * d[None, :]).astype("float32")
centres = rng.normal(size=(CLASSES, FEATS))
x = (0.6 * centres[y] + rng.normal(size=(N, FEATS))).astype("float32")
train = np.zeros(N, bool)
train[rng.permutation(N)[:60]] = True


class GraphConv(layers.Layer):
    """A (X W) + b with a fixed dense adjacency; the batch is the whole graph."""

    def __init__(self, adjacency, units, regularizer=None, **kw):
        super().__init__(**kw)
        self.adjacency = ops.convert_to_tensor(adjacency)
        self.units, self.reg = units, regularizer

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform",
                                      regularizer=self.reg, name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, h):
        return ops.matmul(self.adjacency, ops.matmul(h, self.kernel)) + self.bias


inputs = keras.Input((FEATS,))
h = layers.Dropout(0.3)(inputs)
h = GraphConv(adj, 24, regularizer=keras.regularizers.L2(1e-3))(h)
h = layers.ReLU()(h)
h = layers.Dropout(0.5)(h)
outputs = GraphConv(adj, CLASSES)(h)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
# only the labelled nodes count; rescaled so that the loss is their mean
weight = train.astype("float32") * N / train.sum()
hist = model.fit(x, y, sample_weight=weight, batch_size=N, epochs=140, shuffle=False, verbose=0)
for e in range(19, 140, 20):
    print(f"epoch {e + 1:3d}  loss {hist.history['loss'][e]:.4f}")

pred = model.predict(x, batch_size=N, verbose=0).argmax(1)
print("train accuracy %.4f  test accuracy %.4f" % ((pred == y)[train].mean(), (pred == y)[~train].mean()))
