"""Tagging address fields: bidirectional GRU with a mask, TensorFlow / Keras layers and GradientTape."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers

T, F, K, HIDDEN = 14, 10, 5, 16
BATCH, EPOCHS = 50, 8


def make_data(n=2000, n_test=400):
    rng = np.random.default_rng(123)
    trans = rng.dirichlet(np.full(K, 0.4), K)
    centre = rng.normal(size=(K, F)) * 0.7
    m = n + n_test
    length = rng.integers(5, T + 1, m)
    x = np.zeros((m, T, F), "float32")
    y = np.zeros((m, T), "int64")
    for i in range(m):
        s = rng.integers(K)
        for t in range(length[i]):
            y[i, t] = s
            x[i, t] = centre[s] + rng.normal(size=F)
            s = rng.choice(K, p=trans[s])
    return (x[:n], y[:n], length[:n]), (x[n:], y[n:], length[n:])


class Tagger(keras.Model):
    def __init__(self):
        super().__init__()
        self.rnn = layers.Bidirectional(layers.GRU(
            HIDDEN, return_sequences=True, reset_after=True, kernel_initializer="glorot_uniform",
            recurrent_initializer="orthogonal", bias_initializer="zeros"))
        self.head = layers.Dense(K, kernel_initializer="glorot_uniform", bias_initializer="zeros")

    def call(self, x, valid):
        return self.head(self.rnn(x, mask=valid))


def masked_loss(y, logits, valid):
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    m = tf.cast(valid, tf.float32)
    return tf.reduce_sum(each * m) / tf.reduce_sum(m)


def make_optimizer():
    steps_per_epoch = 2000 // BATCH
    lr = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=steps_per_epoch, decay_rate=0.8, staircase=True)
    return keras.optimizers.Adamax(learning_rate=lr, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


def main():
    keras.utils.set_random_seed(1)
    (x, y, length), (xt, yt, lt) = make_data()
    mask = np.arange(T)[None, :] < length[:, None]
    mask_t = np.arange(T)[None, :] < lt[:, None]
    model = Tagger()
    model(x[:2], mask[:2])
    optimizer = make_optimizer()

    @tf.function
    def step(bx, by, bm):
        with tf.GradientTape() as tape:
            loss = masked_loss(by, model(bx, bm, training=True), bm)
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss

    rng = np.random.default_rng(55)
    for epoch in range(EPOCHS):
        order = rng.permutation(len(x))
        losses = []
        for i in range(0, len(x), BATCH):
            j = order[i:i + BATCH]
            losses.append(float(step(tf.constant(x[j]), tf.constant(y[j]), tf.constant(mask[j]))))
        print("epoch %d loss %.4f" % (epoch + 1, np.mean(losses)))
    logits = model(tf.constant(xt), tf.constant(mask_t), training=False)
    hit = logits.numpy().argmax(-1) == yt
    print("test loss %.4f token accuracy %.4f" % (
        float(masked_loss(tf.constant(yt), logits, tf.constant(mask_t))), hit[mask_t].mean()))


if __name__ == "__main__":
    main()
