"""Bag-of-words documents in TensorFlow: masked mean, weighted loss and decay by hand."""
import numpy as np
import tensorflow as tf
import keras

VOCAB, MAXLEN = 120, 18


def documents(n, rng):
    """Word 0 pads; a document is positive if it speaks more of topic A than of topic B."""
    ids = np.zeros((n, MAXLEN), dtype="int64")
    labels = np.zeros((n, 1), dtype="float32")
    for k in range(n):
        positive = rng.random() < 0.3
        length = rng.integers(6, MAXLEN + 1)
        topic = rng.random(length) < 0.45
        own = rng.integers(1, 31, length) if positive else rng.integers(31, 61, length)
        ids[k, :length] = np.where(topic, own, rng.integers(1, VOCAB, length))
        labels[k] = positive
    return ids, labels


rng = np.random.default_rng(66)
x_train, y_train = documents(1000, rng)
x_test, y_test = documents(400, rng)

keras.utils.set_random_seed(14)


class TextNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.words = keras.layers.Embedding(
            VOCAB, 16, embeddings_initializer=keras.initializers.RandomUniform(-0.4, 0.4)
        )
        self.hidden = keras.layers.Dense(20, activation="relu")
        self.out = keras.layers.Dense(1)

    def call(self, ids):
        real = tf.cast(ids != 0, tf.float32)[:, :, None]
        mean = tf.reduce_sum(self.words(ids) * real, axis=1) / tf.reduce_sum(real, axis=1)
        return self.out(self.hidden(mean))


model = TextNet()
model(x_train[:2])
optimizer = keras.optimizers.SGD(learning_rate=0.5)
POS_WEIGHT, GAMMA = 2.5, 0.93


def weighted_bce(z, t):
    per_item = POS_WEIGHT * t * tf.nn.softplus(-z) + (1.0 - t) * tf.nn.softplus(z)
    return tf.reduce_mean(per_item)


@tf.function(reduce_retracing=True)
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = weighted_bce(model(xb), yb)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


# ---- training
data = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(1000).batch(48)
for epoch in range(1, 16):
    optimizer.learning_rate.assign(0.5 * GAMMA ** (epoch - 1))
    total = 0.0
    for xb, yb in data:
        total += float(train_step(xb, yb)) * len(xb)
    if epoch % 3 == 0:
        print(f"epoch {epoch:2d} loss {total / len(x_train):.4f}")

z = model(x_test)
acc = float(np.mean((z.numpy() > 0) == (y_test > 0.5)))
print(f"test loss {float(weighted_bce(z, y_test)):.4f} accuracy {acc:.4f}")
