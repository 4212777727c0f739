import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(30)

data = load_breast_cancer()
perm = np.random.default_rng(0).permutation(569)
X = data.data[perm].astype("float32")
y = data.target[perm].astype("float32").reshape(-1, 1)
X = (X - X[:460].mean(axis=0)) / X[:460].std(axis=0)
X_train, y_train, X_test, y_test = X[:460], y[:460], X[460:], y[460:]


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.d1 = keras.layers.Dense(32, use_bias=False, kernel_regularizer=keras.regularizers.L2(1e-3))
        self.bn = keras.layers.BatchNormalization(momentum=0.9)
        self.drop = keras.layers.Dropout(0.2)
        self.d2 = keras.layers.Dense(16, activation="relu",
                                     kernel_regularizer=keras.regularizers.L2(1e-3))
        self.d3 = keras.layers.Dense(1)

    def call(self, x, training=False):
        h = tf.nn.relu(self.bn(self.d1(x), training=training))
        h = self.drop(h, training=training)
        return self.d3(self.d2(h))


model = Classifier()
model(X_train[:1])
optimizer = keras.optimizers.Adam(learning_rate=0.003)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        logits = model(xb, training=True)
        loss = bce(yb, logits)
    g = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(g, model.trainable_weights))


batches = tf.data.Dataset.from_tensor_slices((X_train, y_train)).shuffle(460).batch(32)
for epoch in range(20):
    for xb, yb in batches:
        step(xb, yb)

logits = model(X_test, training=False)
print("test bce:", round(float(bce(y_test, logits)), 4),
      "test accuracy:", round(float(np.mean((logits.numpy() > 0) == y_test)), 4))
