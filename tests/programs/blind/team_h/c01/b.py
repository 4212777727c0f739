"""Wide + deep & cross click model, Keras functional API."""
import keras
import numpy as np
from keras import initializers, layers, ops
from sklearn.metrics import roc_auc_score

N_TRAIN, N_TEST = 6144, 2048
FIELDS = {"campaign": 40, "site": 60, "segment": 20, "device": 5, "hour": 24}
CROSS_BUCKETS = 256


def make_data():
    rng = np.random.RandomState(2024)
    n = N_TRAIN + N_TEST
    ids = {k: rng.randint(0, v, size=n) for k, v in FIELDS.items()}
    num = rng.randn(n, 4).astype("float32")
    num[:, 3] = np.log1p(np.abs(num[:, 3]))
    # crossed features
    cs = (ids["campaign"] * 7919 + ids["site"] * 104729) % CROSS_BUCKETS
    dh = ids["device"] * 24 + ids["hour"]
    logit = (0.8 * rng.randn(40)[ids["campaign"]] + 0.7 * rng.randn(60)[ids["site"]]
             + 0.6 * rng.randn(120)[dh] + 1.0 * rng.randn(CROSS_BUCKETS)[cs]
             + 0.9 * num[:, 0] * rng.randn(20)[ids["segment"]]
             + 0.5 * num[:, 1] - 0.6 * num[:, 2] - 1.2)
    y = (rng.rand(n) < 1.0 / (1.0 + np.exp(-logit))).astype("float32")
    cat = np.stack([ids[k] for k in FIELDS], axis=1).astype("int64")
    crossed = np.stack([cs, dh], axis=1).astype("int64")
    tr, te = slice(0, N_TRAIN), slice(N_TRAIN, n)
    return (cat[tr], crossed[tr], num[tr], y[tr]), (cat[te], crossed[te], num[te], y[te])


def dense(units, activation=None, name=None):
    return layers.Dense(units, activation=activation, name=name,
                        kernel_initializer="glorot_uniform", bias_initializer="zeros")


class Cross(layers.Layer):
    def build(self, input_shapes):
        d = input_shapes[0][-1]
        self.w = self.add_weight(shape=(d, d), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(d,), initializer="zeros", name="b")

    def call(self, inputs):
        x0, x = inputs
        return x0 * (ops.matmul(x, self.w) + self.b) + x


def build(emb_dim=8):
    cat = keras.Input((len(FIELDS),), dtype="int64", name="cat")
    crossed = keras.Input((2,), dtype="int64", name="crossed")
    num = keras.Input((4,), name="num")
    parts = []
    for i, (name, size) in enumerate(FIELDS.items()):
        emb = layers.Embedding(size, emb_dim, name="emb_" + name,
                               embeddings_initializer=initializers.RandomNormal(0.0, 0.1))
        parts.append(emb(cat[:, i]))
    x0 = layers.Concatenate()(parts + [num])
    x = Cross(name="cross1")([x0, x0])
    x = Cross(name="cross2")([x0, x])
    h = dense(64, "relu", "deep1")(x0)
    h = dense(32, "relu", "deep2")(h)
    z = dense(1, None, "out")(layers.Concatenate()([x, h]))
    w_cs = layers.Embedding(CROSS_BUCKETS, 1, embeddings_initializer="zeros", name="wide_cs")
    w_dh = layers.Embedding(120, 1, embeddings_initializer="zeros", name="wide_dh")
    z = layers.Add()([z, w_cs(crossed[:, 0]), w_dh(crossed[:, 1])])
    return keras.Model([cat, crossed, num], z)


def compile_model(model):
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False),
                  loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return model


class Report(keras.callbacks.Callback):
    def __init__(self, data):
        super().__init__()
        self.data = data

    def on_epoch_end(self, epoch, logs=None):
        cat, crossed, num, y = self.data
        z = self.model.predict([cat, crossed, num], batch_size=1024, verbose=0)[:, 0]
        vl = float(np.mean(np.logaddexp(0.0, z) - y * z))
        print(f"epoch {epoch + 1} loss {logs['loss']:.4f} test_loss {vl:.4f} "
              f"auc {roc_auc_score(y, z):.4f}")


def main():
    keras.utils.set_random_seed(503)
    train, test = make_data()
    model = compile_model(build())
    print("weights", model.count_params())
    cat, crossed, num, y = train
    model.fit([cat, crossed, num], y[:, None], batch_size=128, epochs=6, shuffle=True,
              verbose=0, callbacks=[Report(test)])


if __name__ == "__main__":
    main()
