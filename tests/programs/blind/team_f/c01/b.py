"""Click-through rate: wide & deep model with crossed features (Keras)."""
import numpy as np
import keras
from keras import layers

FIELDS = {"segment": 20, "site": 30, "ad": 40, "hour": 24, "device": 5,
          "ad_x_site": 150, "device_x_hour": 120}
DIM = 6


def make_data():
    rng = np.random.default_rng(11)
    n = 9500
    segment = rng.integers(0, 20, n)
    site = rng.integers(0, 30, n)
    ad = rng.integers(0, 40, n)
    hour = rng.integers(0, 24, n)
    device = rng.integers(0, 5, n)
    ad_x_site = (ad * 30 + site) * 7 % 150
    device_x_hour = device * 24 + hour
    num = rng.normal(size=(n, 2)).astype("float32")
    w_seg, w_site, w_ad = rng.normal(0, .5, 20), rng.normal(0, .5, 30), rng.normal(0, .6, 40)
    w_cross, w_dh = rng.normal(0, 1.0, 150), rng.normal(0, .7, 120)
    z = (-0.8 + w_seg[segment] + w_site[site] + w_ad[ad] + w_cross[ad_x_site]
         + w_dh[device_x_hour] + 0.6 * num[:, 0] - 0.5 * num[:, 0] * num[:, 1])
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype("float32")
    cat = np.stack([segment, site, ad, hour, device, ad_x_site, device_x_hour], 1).astype("int64")
    return (cat[:8000], num[:8000], y[:8000]), (cat[8000:], num[8000:], y[8000:])


def build_model():
    inputs, wide, deep = [], [], []
    for name, size in FIELDS.items():
        inp = keras.Input((), dtype="int64", name=name)
        inputs.append(inp)
        wide.append(layers.Embedding(size, 1, embeddings_initializer="zeros", name="wide_" + name)(inp))
        deep.append(layers.Embedding(size, DIM, name="emb_" + name,
                                     embeddings_initializer=keras.initializers.RandomNormal(0.0, 0.1))(inp))
    num = keras.Input((2,), name="num")
    h = layers.Concatenate()(deep + [num])
    h = layers.Dense(48, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    h = layers.Dense(24, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    h = layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    logit = layers.Add()(wide + [h])
    return keras.Model(inputs + [num], logit)


def as_inputs(cat, num):
    d = {name: cat[:, i] for i, name in enumerate(FIELDS)}
    d["num"] = num
    return d


def main():
    keras.utils.set_random_seed(5)
    (ct, nt, yt), (cv, nv, yv) = make_data()
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.4, momentum=0.0, nesterov=False),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
    )
    hist = model.fit(as_inputs(ct, nt), yt[:, None], batch_size=100, epochs=6, shuffle=True,
                     validation_data=(as_inputs(cv, nv), yv[:, None]), validation_batch_size=1500, verbose=0)
    for e in range(6):
        h = {k: v[e] for k, v in hist.history.items()}
        print(f"epoch {e + 1}: loss {h['loss']:.4f}  val logloss {h['val_loss']:.4f}  val acc {h['val_acc']:.3f}")


if __name__ == "__main__":
    main()
