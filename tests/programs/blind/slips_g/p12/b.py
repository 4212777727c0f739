"""DeepFM for ad clicks, Keras functional model and fit()."""
import numpy as np
import keras
from keras import layers, ops
from sklearn.metrics import roc_auc_score

VOCAB = [20, 15, 10, 8, 64]
K = 6


def make_clicks(n_train=4000, n_test=1500):
    """Synthetic ad log: four categorical fields, one hashed cross, five numeric features."""
    rng = np.random.default_rng(20240501)
    n = n_train + n_test
    site = rng.integers(0, 20, n)
    advertiser = rng.integers(0, 15, n)
    device = rng.integers(0, 10, n)
    hour = rng.integers(0, 8, n)
    cross = (site * 7919 + advertiser * 104729) % 64
    cats = np.stack([site, advertiser, device, hour, cross], axis=1).astype("int64")
    nums = rng.normal(size=(n, 5)).astype("float32")
    u, v = rng.normal(size=(20, 3)), rng.normal(size=(15, 3))
    logit = (
        -1.0
        + 0.8 * (u[site] * v[advertiser]).sum(1)
        + 0.7 * rng.normal(size=10)[device]
        + 0.5 * np.sin(hour)
        + 0.6 * nums[:, 0]
        - 0.5 * nums[:, 1] * nums[:, 2]
    )
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-logit))).astype("float32")
    return (cats[:n_train], nums[:n_train], y[:n_train]), (cats[n_train:], nums[n_train:], y[n_train:])


class FactorisationMachine(layers.Layer):
    def call(self, e):
        return 0.5 * ops.sum(ops.square(ops.sum(e, axis=1)) - ops.sum(ops.square(e), axis=1), axis=1, keepdims=True)


def build():
    cats = keras.Input((len(VOCAB),), dtype="int64")
    nums = keras.Input((5,))
    terms, vectors = [], []
    for i, size in enumerate(VOCAB):
        ids = cats[:, i]
        terms.append(layers.Embedding(size, 1, embeddings_initializer="zeros")(ids))
        normal = keras.initializers.RandomNormal(mean=0.0, stddev=0.05)
        vectors.append(layers.Embedding(size, K, embeddings_initializer=normal)(ids))
    terms.append(layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(nums))
    fm = FactorisationMachine()(ops.stack(vectors, axis=1))
    h = layers.Concatenate()(vectors + [nums])
    h = layers.Dense(48, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    h = layers.Dense(24, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    deep = layers.Dense(1, use_bias=False, kernel_initializer="glorot_uniform")(h)
    return keras.Model([cats, nums], layers.Add()(terms + [fm, deep]))


def main():
    keras.utils.set_random_seed(81)
    (c, x, y), (ct, xt, yt) = make_clicks()
    model = build()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
        loss=keras.losses.BinaryCrossentropy(),
    )
    model.fit([c, x], y, batch_size=128, epochs=8, shuffle=True, verbose=2)
    test = model.evaluate([ct, xt], yt, batch_size=500, verbose=0)
    z = model.predict([ct, xt], batch_size=500, verbose=0)[:, 0]
    print(f"test logloss {test:.4f} auc {roc_auc_score(yt, z):.4f}")


if __name__ == "__main__":
    main()
