import keras
import numpy as np
import tensorflow as tf

VOCAB, MAXLEN, DIM = 40, 20, 8
BATCH = 32
EPOCHS = 15
LR = 0.5


def make_data():
    rng = np.random.default_rng(5)
    score = rng.normal(size=VOCAB)
    n = 1200
    lengths = np.minimum(2 + rng.geometric(0.25, size=n), MAXLEN)
    ids = np.zeros((n, MAXLEN), dtype="int32")
    y = np.zeros(n, dtype="float32")
    for i, l in enumerate(lengths):
        t = rng.integers(1, VOCAB, size=l)
        ids[i, :l] = t
        y[i] = score[t].sum() / np.sqrt(l) > 0
    return ids[:960], y[:960], ids[960:], y[960:]


class TextNet(keras.Model):
    def __init__(self):
        super().__init__()
        uniform = keras.initializers.RandomUniform(-1.0, 1.0)
        self.emb = keras.layers.Embedding(VOCAB, DIM, embeddings_initializer=uniform, mask_zero=True)
        self.fc1 = keras.layers.Dense(24, activation="relu", kernel_initializer="glorot_uniform")
        self.fc2 = keras.layers.Dense(1, kernel_initializer="glorot_uniform")

    def call(self, ids, training=None):
        bag = tf.reduce_mean(self.emb(ids), axis=1)
        return self.fc2(self.fc1(bag))


def make_step(model, optimizer):
    loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def step(xb, yb):
        with tf.GradientTape() as tape:
            loss = loss_fn(yb[:, None], model(xb, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return loss
    return step


def main():
    keras.utils.set_random_seed(12)
    rng = np.random.default_rng(12)
    xtr, ytr, xte, yte = make_data()
    model = TextNet()
    model(xtr[:1])
    step = make_step(model, keras.optimizers.SGD(learning_rate=LR, momentum=0.0))
    for epoch in range(EPOCHS):
        order = rng.permutation(len(xtr))
        losses = []
        for i in range(0, len(xtr), BATCH):
            idx = order[i:i + BATCH]
            losses.append(float(step(tf.constant(xtr[idx]), tf.constant(ytr[idx]))))
        print("epoch %d loss %.4f" % (epoch + 1, np.mean(losses)))
    logit = model(xte, training=False).numpy()[:, 0]
    bce = np.mean(np.maximum(logit, 0) - logit * yte + np.log1p(np.exp(-np.abs(logit))))
    print("test loss %.4f acc %.4f" % (bce, np.mean((logit > 0) == (yte > 0.5))))


if __name__ == "__main__":
    main()
