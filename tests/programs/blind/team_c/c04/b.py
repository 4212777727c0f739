"""Learning to rank: listwise softmax over the documents of a query (Keras fit, AdamW)."""
import keras
import numpy as np
from keras import layers, ops

Q_TRAIN, Q_TEST, DOCS, FEATS = 620, 150, 20, 12
BATCH, EPOCHS, LR, DECAY = 30, 9, 3e-3, 0.02


def make_data():
    rng = np.random.RandomState(99)
    q = Q_TRAIN + Q_TEST
    x = rng.randn(q, DOCS, FEATS)
    w1, w2 = rng.randn(FEATS), rng.randn(FEATS, 5)
    s = 0.6 * x @ w1 + np.abs(x @ w2).sum(-1) * 0.4 + 0.5 * rng.randn(q, DOCS)
    length = rng.randint(8, DOCS + 1, q)
    mask = np.arange(DOCS)[None, :] < length[:, None]
    rel = np.zeros((q, DOCS))
    for i in range(q):
        order = np.argsort(np.argsort(-s[i, :length[i]]))
        rel[i, :length[i]] = np.where(order < 2, 3, np.where(order < 4, 2, np.where(order < 7, 1, 0)))
    x = (x * mask[..., None]).astype("float32")
    rel, mask = rel.astype("float32"), mask.astype("float32")
    return (x[:Q_TRAIN], rel[:Q_TRAIN], mask[:Q_TRAIN]), (x[Q_TRAIN:], rel[Q_TRAIN:], mask[Q_TRAIN:])


def ndcg(scores, rel, mask, k=10):
    total = []
    for s, r, m in zip(scores, rel, mask):
        n = int(m.sum())
        gain = 2 ** r[:n] - 1
        disc = 1 / np.log2(np.arange(2, n + 2))
        disc[k:] = 0
        total.append((gain[np.argsort(-s[:n])] * disc).sum() / (np.sort(gain)[::-1] * disc).sum())
    return float(np.mean(total))


def build_model():
    def dense(units, **kw):
        return layers.Dense(units, kernel_initializer="glorot_uniform", bias_initializer="zeros", **kw)

    inp = keras.Input((DOCS, FEATS))
    h = dense(32)(inp)
    h = layers.LayerNormalization(epsilon=1e-5)(h)
    h = layers.ReLU()(h)
    h = layers.ReLU()(dense(16)(h))
    return keras.Model(inp, layers.Reshape((DOCS,))(dense(1, use_bias=False)(h)))


def listwise_loss(y, scores):
    rel, mask = y[..., 0], y[..., 1]
    neg = (1.0 - mask) * -1e9
    target = ops.softmax(rel + neg, axis=-1)
    logp = ops.log_softmax(scores + neg, axis=-1)
    return -ops.sum(target * logp * mask, axis=-1)  # one value per query; fit takes the mean


def compiled_model():
    model = build_model()
    opt = keras.optimizers.AdamW(learning_rate=LR, weight_decay=DECAY, beta_1=0.9, beta_2=0.98, epsilon=1e-12)
    opt.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer=opt, loss=listwise_loss)
    return model


def main():
    keras.utils.set_random_seed(42)
    (x, rel, mask), (x_te, rel_te, mask_te) = make_data()
    model = compiled_model()
    model.fit(x, np.stack([rel, mask], axis=-1), batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=2)
    scores = model.predict(x_te, batch_size=150, verbose=0)
    print(f"test ndcg@10 {ndcg(scores, rel_te, mask_te):.4f}")


if __name__ == "__main__":
    main()
