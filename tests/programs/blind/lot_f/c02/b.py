import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(3)

rng = np.random.default_rng(2024)
N, D = 930, 12
X = rng.normal(size=(N + 400, D)).astype("float32")
score = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + 0.5 * X[:, 3] ** 2 - 0.5
Y = (score + 0.3 * rng.normal(size=N + 400) > 0).astype("float32")[:, None]
X_tr, Y_tr, X_va, Y_va = X[:N], Y[:N], X[N:], Y[N:]


class Block(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units, use_bias=False,
                                        kernel_regularizer=keras.regularizers.L2(5e-4))
        self.norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
        self.drop = keras.layers.Dropout(0.1)

    def call(self, x, training=False):
        x = tf.nn.relu(self.norm(self.dense(x), training=training))
        return self.drop(x, training=training)


class Classifier(keras.Model):
    def __init__(self):
        super().__init__()
        self.block1 = Block(48)
        self.block2 = Block(24)
        self.head = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(5e-4))

    def call(self, x, training=False):
        x = self.block1(x, training=training)
        x = self.block2(x, training=training)
        return self.head(x)


model = Classifier()
model(tf.zeros((1, D)), training=False)
loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)
optimizer = keras.optimizers.RMSprop(learning_rate=3e-3, rho=0.9, momentum=0.0, epsilon=1e-7)
optimizer.build(model.trainable_variables)


@tf.function(reduce_retracing=True)
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True)) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


shuffler = np.random.default_rng(3)
for epoch in range(25):
    perm = shuffler.permutation(N)
    for start in range(0, N, 60):
        idx = perm[start:start + 60]
        train_step(tf.constant(X_tr[idx]), tf.constant(Y_tr[idx]))

logits = model(tf.constant(X_va), training=False).numpy()
bce = float(loss_fn(Y_va, logits))
print("validation bce %.4f  accuracy %.4f" % (bce, np.mean((logits > 0) == (Y_va > 0.5))))
