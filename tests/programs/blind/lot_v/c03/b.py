import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_breast_cancer

SEED = 7
EPOCHS, BATCH = 20, 32
keras.utils.set_random_seed(SEED)


class Block(keras.layers.Layer):
    def __init__(self, units, rate, **kw):
        super().__init__(**kw)
        self.fc = keras.layers.Dense(
            units, use_bias=False, kernel_initializer=keras.initializers.GlorotUniform(),
            kernel_regularizer=keras.regularizers.L2(0.001))
        self.norm = keras.layers.BatchNormalization(axis=-1, momentum=0.9, epsilon=0.001)
        self.drop = keras.layers.Dropout(rate)

    def call(self, x, training=None):
        x = self.norm(self.fc(x), training=training)
        return self.drop(tf.nn.elu(x), training=training)


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.b1 = Block(32, 0.25)
        self.b2 = Block(16, 0.25)
        self.out = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(),
                                      bias_initializer="zeros")

    def call(self, x, training=None):
        return self.out(self.b2(self.b1(x, training=training), training=training))


def load():
    data = load_breast_cancer()
    idx = np.random.default_rng(42).permutation(len(data.target))
    tr, te = idx[:450], idx[450:]
    mean, std = data.data[tr].mean(axis=0), data.data[tr].std(axis=0)
    X = ((data.data - mean) / std).astype("float32")
    y = data.target.astype("float32").reshape(-1, 1)
    return X[tr], y[tr], X[te], y[te]


def objective(model, x, y, training):
    logits = model(x, training=training)
    ce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
    return ce + tf.add_n(model.losses), logits


x_train, y_train, x_test, y_test = load()
model = Classifier()
model(x_train[:2], training=False)
optimizer = keras.optimizers.Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7)


@tf.function(reduce_retracing=True)
def step(x, y):
    with tf.GradientTape() as tape:
        loss, logits = objective(model, x, y, training=True)
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss, tf.reduce_sum(tf.cast(tf.equal(logits > 0.0, y > 0.5), tf.float32))


rng = np.random.default_rng(SEED)
n = len(x_train)
for epoch in range(1, EPOCHS + 1):
    order = rng.permutation(n)
    loss_sum = hits = 0.0
    for start in range(0, n, BATCH):
        take = order[start:start + BATCH]
        loss, right = step(tf.constant(x_train[take]), tf.constant(y_train[take]))
        loss_sum += float(loss) * len(take)
        hits += float(right)
    print("epoch %2d  loss %.4f  acc %.4f" % (epoch, loss_sum / n, hits / n))

loss, logits = objective(model, tf.constant(x_test), tf.constant(y_test), training=False)
acc = np.mean((logits.numpy() > 0.0) == (y_test > 0.5))
print("test  loss %.4f  acc %.4f" % (float(loss), acc))
