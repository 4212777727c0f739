import keras
import numpy as np
import tensorflow as tf

rng = np.random.RandomState(55)
X = rng.uniform(-2, 2, (1000, 6)).astype("float32")
y = (np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * X[:, 3] ** 2 + rng.normal(0, 0.1, 1000))
y = ((y - y.mean()) / y.std()).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:750], y[:750], X[750:], y[750:]

BATCH, EPOCHS = 40, 25
keras.utils.set_random_seed(42)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = keras.layers.Dense(48, kernel_initializer="he_normal")
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self.drop = keras.layers.Dropout(0.1)
        self.second = keras.layers.Dense(24, kernel_initializer="he_normal",
                                         kernel_regularizer=keras.regularizers.L2(1e-3))
        self.last = keras.layers.Dense(1, kernel_initializer="glorot_uniform")

    def call(self, x, training=False):
        h = tf.nn.silu(self.norm(self.first(x)))
        h = self.drop(h, training=training)
        return self.last(tf.nn.silu(self.second(h)))


model = Net()
model(X_train[:1])
optimizer = keras.optimizers.AdamW(learning_rate=0.005, weight_decay=0.01, beta_1=0.9, beta_2=0.99,
                                   epsilon=1e-7)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
optimizer.build(model.trainable_variables)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        pred = model(xb, training=True)
        loss = tf.reduce_mean(tf.square(pred - yb)) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 1.0)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((X_train, y_train))
data = data.shuffle(750, seed=42, reshuffle_each_iteration=True).batch(BATCH, drop_remainder=False)

step = 0
for e in range(EPOCHS):
    total = 0.0
    for xb, yb in data:
        optimizer.learning_rate.assign(0.005 * 0.8 ** (step / 100))
        total += float(train_step(xb, yb)) * int(xb.shape[0])
        step += 1
    if e % 8 == 0:
        print("epoch %d objective %.4f" % (e + 1, total / len(X_train)))

pred = model(X_test, training=False).numpy()
print("test mse %.4f" % np.mean((pred - y_test) ** 2))
