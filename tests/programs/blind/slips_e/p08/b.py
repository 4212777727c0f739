# Weekly demand forecast with an LSTM written by hand and a GradientTape loop
import numpy as np
import tensorflow as tf
import keras

LEVELS = tf.constant([[0.1, 0.5, 0.9]])


def load():
    rng = np.random.default_rng(77)
    stores, days = 40, 140
    t = np.arange(days)
    kind = rng.integers(0, 4, stores)
    base = 1.0 + 0.4 * kind + 0.2 * rng.normal(size=stores)
    promo = (rng.uniform(size=(stores, days)) < 0.2).astype("float32")
    price = 1.0 + 0.1 * rng.normal(size=(stores, days)) - 0.15 * promo
    phase = rng.uniform(0, 6.28, stores)
    sales = (
        base[:, None]
        + 0.5 * np.sin(2 * np.pi * t / 7 + phase[:, None])
        + 0.6 * promo
        - 0.8 * (price - 1)
        + 0.25 * rng.normal(size=(stores, days)) * (1 + promo)
    )
    hist, static, plan, target = [], [], [], []
    for s in range(stores):
        for d in range(21, days - 7, 2):
            hist.append(np.stack([sales[s, d - 21:d], price[s, d - 21:d], promo[s, d - 21:d]], axis=1))
            static.append(np.eye(4)[kind[s]])
            plan.append(promo[s, d:d + 7])
            target.append([sales[s, d:d + 7].mean()])
    order = rng.permutation(len(target))
    return [np.asarray(v, dtype="float32")[order] for v in (hist, static, plan, target)]


class Recurrent(keras.layers.Layer):
    """LSTM that returns the last hidden state; gates in the order i, f, g, o."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        u = self.units
        self.w = self.add_weight(shape=(shape[-1], 4 * u), initializer="glorot_uniform", name="w")
        self.r = self.add_weight(shape=(u, 4 * u), initializer="orthogonal", name="r")
        self.b = self.add_weight(shape=(4 * u,), initializer="zeros", name="b")

    def call(self, x):
        h = tf.zeros((tf.shape(x)[0], self.units))
        c = tf.zeros_like(h)
        for step in range(x.shape[1]):
            z = tf.matmul(x[:, step], self.w) + tf.matmul(h, self.r) + self.b
            i, f, g, o = tf.split(z, 4, axis=1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
        return h


class Forecaster(keras.Model):
    def __init__(self):
        super().__init__()
        self.rnn = Recurrent(24)
        self.hidden = keras.layers.Dense(32, activation="relu")
        self.head = keras.layers.Dense(3)

    def call(self, inputs):
        hist, static, plan = inputs
        h = tf.concat([self.rnn(hist), static, plan], axis=1)
        return self.head(self.hidden(h))


def quantile_loss(y, p):
    err = y - p
    return tf.reduce_mean(tf.where(err >= 0, LEVELS * err, (LEVELS - 1.0) * err))


# --- training
keras.utils.set_random_seed(5)
hist, static, plan, y = load()
n = 1920
net = Forecaster()
net([hist[:2], static[:2], plan[:2]])
adam = keras.optimizers.Adam(learning_rate=0.003, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
ds = tf.data.Dataset.from_tensor_slices((hist[:n], static[:n], plan[:n], y[:n]))
ds = ds.shuffle(n, seed=12, reshuffle_each_iteration=True).batch(64)


@tf.function
def train_step(h, s, p, target):
    with tf.GradientTape() as tape:
        value = quantile_loss(target, net([h, s, p], training=True))
    grads = tape.gradient(value, net.trainable_variables)
    adam.apply_gradients(zip(grads, net.trainable_variables))
    return value


for epoch in range(10):
    running = [float(train_step(*batch)) for batch in ds]
    print("epoch", epoch + 1, "pinball %.4f" % np.mean(running))
pred = net([hist[n:], static[n:], plan[n:]], training=False)
print("test pinball %.4f" % float(quantile_loss(y[n:], pred)), "coverage", np.round((y[n:] <= pred.numpy()).mean(0), 3))
