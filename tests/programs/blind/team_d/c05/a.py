"""Two-tower retrieval from bags of words with in-batch negatives, Keras fit."""
import numpy as np
import keras
from keras import layers, ops

VQ, VD, DIM = 120, 150, 16
TEMPERATURE = 0.1


def make_data(n=2880):
    rng = np.random.default_rng(404)
    topics = 12
    wq = rng.dirichlet(np.full(VQ, 0.1), topics)
    wd = rng.dirichlet(np.full(VD, 0.1), topics)
    theta = rng.dirichlet(np.full(topics, 0.25), n)
    q = np.stack([rng.multinomial(12, p) for p in theta @ wq]).astype("float32")
    d = np.stack([rng.multinomial(40, p) for p in theta @ wd]).astype("float32")
    q, d = np.log1p(q), np.log1p(d)
    return (q[:2560], d[:2560]), (q[2560:], d[2560:])


def tower(name, size):
    x = inp = keras.Input((size,), name=name)
    x = layers.Dense(32, activation="relu", name=name + "_hidden")(x)
    x = layers.Dense(DIM, name=name + "_proj")(x)
    x = layers.UnitNormalization(axis=-1)(x)
    return inp, x


def build_model():
    qi, q = tower("query", VQ)
    di, d = tower("document", VD)
    return keras.Model([qi, di], layers.Concatenate()([q, d]))


def in_batch_loss(_, vectors):
    q, d = vectors[:, :DIM], vectors[:, DIM:]
    sim = ops.matmul(q, ops.transpose(d)) / TEMPERATURE
    diag = ops.sum(q * d, axis=1) / TEMPERATURE
    to_doc = ops.logsumexp(sim, axis=1) - diag
    to_query = ops.logsumexp(sim, axis=0) - diag
    return 0.5 * (to_doc + to_query)


def main():
    keras.utils.set_random_seed(20)
    (q, d), (qt, dt) = make_data()
    model = build_model()
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-7),
                  loss=in_batch_loss)
    model.fit([q, d], np.zeros((len(q), 1), "float32"), batch_size=64, epochs=8, shuffle=True, verbose=2)
    v = model.predict([qt, dt], batch_size=320, verbose=0)
    sim = v[:, :DIM] @ v[:, DIM:].T
    rank = (sim > np.diag(sim)[:, None]).sum(1)
    print("test recall@1 %.3f recall@10 %.3f MRR %.3f" % ((rank < 1).mean(), (rank < 10).mean(), (1 / (rank + 1)).mean()))


if __name__ == "__main__":
    main()
