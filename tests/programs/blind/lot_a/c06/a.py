import numpy as np
import tensorflow as tf
import keras
from keras import layers

VOCAB, MAXLEN = 120, 18


def reviews(n, rng):
    tokens = np.zeros((n, MAXLEN), dtype="int64")
    labels = np.zeros((n, 1), dtype="float32")
    for i in range(n):
        length = rng.integers(6, MAXLEN + 1)
        mood = rng.integers(0, 2)
        lo, hi = (1, 40) if mood else (40, 79)
        pick = np.where(rng.random(length) < 0.35, rng.integers(lo, hi, size=length), rng.integers(1, VOCAB, size=length))
        tokens[i, :length] = pick
        labels[i] = mood
    return tokens, labels


class Bag(keras.Model):
    def __init__(self):
        super().__init__()
        self.emb = layers.Embedding(VOCAB, 16, embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05))
        self.hidden = layers.Dense(24, activation="tanh")
        self.out = layers.Dense(1)

    def call(self, ids):
        mask = tf.cast(ids > 0, tf.float32)[:, :, None]
        summed = tf.reduce_sum(self.emb(ids) * mask, axis=1)
        return self.out(self.hidden(summed / tf.reduce_sum(mask, axis=1)))


def build():
    model = Bag()
    model(tf.ones((1, MAXLEN), tf.int64))
    return model


def main():
    keras.utils.set_random_seed(8)
    rng = np.random.default_rng(55)
    x, y = reviews(800, rng)
    xt, yt = reviews(400, rng)
    model = build()
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    opt = keras.optimizers.SGD(learning_rate=2.0)
    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(800).batch(32)

    @tf.function
    def train_step(xb, yb):
        with tf.GradientTape() as tape:
            loss = bce(yb, model(xb, training=True))
        opt.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    for epoch in range(20):
        for xb, yb in data:
            train_step(xb, yb)

    for name, xs, ys in (("train", x, y), ("test", xt, yt)):
        logits = model(xs, training=False).numpy()
        print("%s bce %.4f acc %.4f" % (name, float(bce(ys, logits)), ((logits > 0) == (ys > 0.5)).mean()))


if __name__ == "__main__":
    main()
