import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits


def load():
    d = load_digits()
    order = np.random.default_rng(3).permutation(len(d.target))
    x = (d.data[order] / 16.0).astype("float32")
    y = d.target[order].astype("int64")
    return x[:1400], y[:1400], x[1400:], y[1400:]


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.d1 = layers.Dense(64, activation="relu")
        self.d2 = layers.Dense(32, activation="relu")
        self.d3 = layers.Dense(10)

    def call(self, x):
        return tf.nn.softmax(self.d3(self.d2(self.d1(x))))


def build():
    net = Net()
    net(tf.zeros((1, 64)))
    return net


def cross_entropy(y, out):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=out))


def main():
    keras.utils.set_random_seed(33)
    x, y, xt, yt = load()
    net = build()
    opt = keras.optimizers.SGD(learning_rate=0.05, momentum=0.9)
    rng = np.random.default_rng(33)

    @tf.function(reduce_retracing=True)
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            loss = cross_entropy(yb, net(xb, training=True))
        grads = tape.gradient(loss, net.trainable_variables)
        opt.apply_gradients(zip(grads, net.trainable_variables))
        return loss

    for epoch in range(12):
        order = rng.permutation(len(x))
        for i in range(0, len(x), 64):
            idx = order[i:i + 64]
            train_step(tf.constant(x[idx]), tf.constant(y[idx]))

    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        out = net(xs, training=False)
        acc = (out.numpy().argmax(1) == ys).mean()
        print("%s loss %.4f acc %.4f" % (name, float(cross_entropy(ys, out)), acc))


if __name__ == "__main__":
    main()
