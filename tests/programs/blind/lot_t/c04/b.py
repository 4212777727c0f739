"""Wide and deep click model with two inputs, own training loop."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers, regularizers

keras.utils.set_random_seed(2)


def clicks(n=1100):
    rng = np.random.default_rng(70)
    user = rng.normal(size=(n, 10)).astype("float32")
    item = rng.normal(size=(n, 6)).astype("float32")
    cross = (user[:, :6] * item).sum(axis=1)
    logit = 0.9 * cross + 0.8 * user[:, 7] - 0.6 * item[:, 2]
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-logit))).astype("float32")[:, None]
    return user, item, y


class WideDeep(keras.Model):
    def __init__(self):
        super().__init__()
        l2 = regularizers.L2
        self.user_proj = layers.Dense(16, kernel_regularizer=l2(1e-3))
        self.item_proj = layers.Dense(16, kernel_regularizer=l2(1e-3))
        self.hidden = layers.Dense(32, use_bias=False, kernel_regularizer=l2(1e-3))
        self.bn = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
        self.drop = layers.Dropout(0.1)
        self.deep_out = layers.Dense(1)
        self.wide_out = layers.Dense(1, use_bias=False)

    def call(self, inputs, training=False):
        user, item = inputs
        both = tf.concat([user, item], axis=-1)
        deep = tf.concat([self.user_proj(user) * self.item_proj(item), both], axis=-1)
        deep = tf.nn.relu(self.bn(self.hidden(deep), training=training))
        deep = self.drop(deep, training=training)
        return self.deep_out(deep) + self.wide_out(both)


user, item, y = clicks()
model = WideDeep()
model([user[:2], item[:2]])
optimizer = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function(reduce_retracing=True)
def train_step(u, i, t):
    with tf.GradientTape() as tape:
        loss = bce(t, model([u, i], training=True)) + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((user[:900], item[:900], y[:900]))
data = data.shuffle(900, reshuffle_each_iteration=True).batch(64)
for e in range(1, 16):
    total = 0.0
    for u, i, t in data:
        total += float(train_step(u, i, t)) * len(t)
    print(f"epoch {e} loss {total / 900:.4f}")

logits = model([user[900:], item[900:]], training=False).numpy()
print("test accuracy", float(np.mean((logits > 0) == (y[900:] > 0.5))))
