import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_breast_cancer

bunch = load_breast_cancer()
perm = np.random.default_rng(8).permutation(len(bunch.target))
X = bunch.data[perm]
y = bunch.target[perm].astype("float32")[:, None]
X = ((X - X[:430].mean(axis=0)) / X[:430].std(axis=0)).astype("float32")
X_train, y_train = X[:430], y[:430]
X_test, y_test = X[430:], y[430:]

EPOCHS, BATCH, L2 = 20, 32, 1e-3
keras.utils.set_random_seed(41)


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(40, kernel_initializer="he_normal")
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.drop = keras.layers.Dropout(0.25)
        self.second = keras.layers.Dense(20, kernel_initializer="he_normal")
        self.head = keras.layers.Dense(1)

    def call(self, x, training=False):
        x = self.norm(tf.nn.relu(self.first(x)))
        x = self.drop(x, training=training)
        return self.head(tf.nn.relu(self.second(x)))


model = Classifier()
model(X_train[:1])
optimizer = keras.optimizers.Adam(learning_rate=2e-3, epsilon=1e-7)
optimizer.build(model.trainable_variables)


@tf.function(reduce_retracing=True)
def step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=yb, logits=logits))
        penalty = tf.reduce_sum(model.first.kernel ** 2) + tf.reduce_sum(model.second.kernel ** 2)
        loss = loss + L2 * penalty
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))


rng = np.random.default_rng(41)
for _ in range(EPOCHS):
    idx = rng.permutation(len(X_train))
    for start in range(0, len(idx), BATCH):
        rows = idx[start:start + BATCH]
        step(tf.constant(X_train[rows]), tf.constant(y_train[rows]))

logits = model(X_test, training=False).numpy()
bce = np.mean(np.maximum(logits, 0) - logits * y_test + np.log1p(np.exp(-np.abs(logits))))
print(f"test bce {bce:.4f}  accuracy {np.mean((logits > 0) == (y_test > 0.5)):.4f}")
