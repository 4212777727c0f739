"""Product retrieval: two towers over bags of words with in-batch negatives, Keras with train_step."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers


VOCAB, TOPICS, N_ATTR = 90, 12, 5
BATCH, EPOCHS, TEMPERATURE, LR = 64, 15, 0.1, 0.004


def make_data(n, seed):
    """Pairs of a query (bag of words) and the product that was bought (bag of words, attributes)."""
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(2718)
    q_words = truth.dirichlet(np.full(VOCAB, 0.15), TOPICS)
    d_words = truth.dirichlet(np.full(VOCAB, 0.15), TOPICS)
    attr = truth.randn(TOPICS, N_ATTR)
    mix = rng.dirichlet(np.full(TOPICS, 0.25), n)
    q = np.stack([rng.multinomial(10, m @ q_words) for m in mix])
    d = np.stack([rng.multinomial(25, m @ d_words) for m in mix])
    a = mix @ attr + 0.2 * rng.randn(n, N_ATTR)
    return (np.log1p(q).astype("float32"),
            np.concatenate([np.log1p(d), a], axis=1).astype("float32"))


def recall_at(qv, dv, k=10):
    s = qv @ dv.T
    rank = (s > np.diag(s)[:, None]).sum(axis=1)
    return (rank < k).mean()


q_tr, d_tr = make_data(1280, 100)
q_te, d_te = make_data(300, 101)

keras.utils.set_random_seed(61)


glorot = keras.initializers.GlorotUniform()


def tower(n_in):
    return keras.Sequential([
        keras.Input((n_in,)),
        layers.Dense(48, activation="tanh", kernel_initializer=glorot),
        layers.Dense(16, use_bias=False, kernel_initializer=glorot),
        layers.UnitNormalization(axis=-1),
    ])


class TwoTower(keras.Model):
    def __init__(self):
        super().__init__()
        self.query = tower(VOCAB)
        self.item = tower(VOCAB + N_ATTR)
        self.tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.tracker]

    def call(self, inputs):
        return self.query(inputs[0]), self.item(inputs[1])

    def train_step(self, data):
        q, d = data
        n = tf.shape(q)[0]
        with tf.GradientTape() as tape:
            logits = tf.matmul(self.query(q, training=True), self.item(d, training=True),
                               transpose_b=True) / TEMPERATURE
            target = tf.range(n)
            rows = tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits)
            cols = tf.nn.sparse_softmax_cross_entropy_with_logits(target, tf.transpose(logits))
            loss = 0.5 * (tf.reduce_mean(rows) + tf.reduce_mean(cols))
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.tracker.update_state(loss, sample_weight=tf.cast(n, tf.float32))
        return {"loss": self.tracker.result()}


model = TwoTower()
model.compile(optimizer=keras.optimizers.Adamax(LR, beta_1=0.9, beta_2=0.999, epsilon=1e-12))
ds = tf.data.Dataset.from_tensor_slices((q_tr, d_tr)).shuffle(len(q_tr)).batch(BATCH)

# training
hist = model.fit(ds, epochs=EPOCHS, verbose=0)
for epoch, l in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1}: loss {l:.4f}")

qv, dv = model.query.predict(q_te, verbose=0), model.item.predict(d_te, verbose=0)
print(f"test recall@1 {recall_at(qv, dv, 1):.4f}  recall@10 {recall_at(qv, dv):.4f}")
