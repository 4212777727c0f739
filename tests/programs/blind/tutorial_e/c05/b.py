"""Transfer learning: pretrain on four shapes, freeze the base, learn four new shapes (GradientTape)."""
import numpy as np
import keras
import tensorflow as tf
from keras import layers


def draw(kind, rng):
    yy, xx = np.mgrid[0:16, 0:16]
    cy, cx = rng.uniform(6, 10, size=2)
    r = rng.uniform(3, 6)
    dy, dx = yy - cy, xx - cx
    dist = np.sqrt(dy ** 2 + dx ** 2)
    box = np.maximum(abs(dy), abs(dx))
    if kind == 0:
        img = dist < r                                   # disk
    elif kind == 1:
        img = abs(dist - r) < 1.0                        # ring
    elif kind == 2:
        img = box < r                                    # square
    elif kind == 3:
        img = ((abs(dy) < 1.2) | (abs(dx) < 1.2)) & (box < r)   # plus
    elif kind == 4:
        img = abs(box - r) < 1.0                         # frame
    elif kind == 5:
        img = ((abs(dy - dx) < 1.6) | (abs(dy + dx) < 1.6)) & (box < r)  # cross
    elif kind == 6:
        img = (abs(dy) < r) & (abs(dx) < (dy + r) / 2)   # triangle
    else:
        img = (yy.astype(int) // 2 + xx.astype(int) // 2) % 2 * (box < r)  # checks
    return img.astype("float32") + rng.normal(0, 0.25, size=(16, 16)).astype("float32")


def make_task(kinds, n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(kinds), size=n)
    x = np.stack([draw(kinds[k], rng) for k in y]).astype("float32")
    return x[..., None], y.astype("int64")


class ConvBlock(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-3)

    def call(self, x, training=False):
        return tf.nn.relu(self.norm(self.conv(x), training=training))


class Base(keras.Model):
    def __init__(self):
        super().__init__()
        self.block1 = ConvBlock(12)
        self.block2 = ConvBlock(24)

    def call(self, x, training=False):
        x = self.block1(x, training=training)
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = self.block2(x, training=training)
        return tf.reduce_mean(x, axis=[1, 2])


def batches(x, y, size):
    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(
        len(x), reshuffle_each_iteration=True).batch(size, drop_remainder=False)


def mean_ce(y, logits):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))


def main():
    keras.utils.set_random_seed(2024)
    xs, ys = make_task([0, 1, 2, 3], 1200, seed=1)
    xt, yt = make_task([4, 5, 6, 7], 300, seed=2)
    xv, yv = make_task([4, 5, 6, 7], 400, seed=3)

    # 1. pretraining: base and its head
    base = Base()
    head = layers.Dense(4)
    head(base(xs[:1]))
    adam = keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-7)

    @tf.function
    def pretrain_step(x, y):
        weights = base.trainable_variables + head.trainable_variables
        with tf.GradientTape() as tape:
            loss = mean_ce(y, head(base(x, training=True)))
        adam.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    data = batches(xs, ys, 50)
    for epoch in range(8):
        losses = [float(pretrain_step(x, y)) for x, y in data]
        print(f"source epoch {epoch}: {np.mean(losses):.4f}")

    # 2. only the new head is trained; the base runs in inference mode
    base.trainable = False
    new_head = keras.Sequential([
        layers.Dense(16, activation="relu"),
        layers.Dropout(0.2),
        layers.Dense(4),
    ])
    new_head(base(xt[:1], training=False))
    sgd = keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)

    @tf.function
    def transfer_step(x, y):
        features = base(x, training=False)
        weights = new_head.trainable_variables
        with tf.GradientTape() as tape:
            loss = mean_ce(y, new_head(features, training=True))
        sgd.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    data = batches(xt, yt, 32)
    for epoch in range(25):
        total = sum(float(transfer_step(x, y)) * len(y) for x, y in data)
        print(f"target epoch {epoch}: {total / len(xt):.4f}")

    logits = new_head(base(xv, training=False), training=False)
    acc = np.mean(np.argmax(logits, axis=1) == yv)
    print(f"new task: test loss {float(mean_ce(yv, logits)):.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
