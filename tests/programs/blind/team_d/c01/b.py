"""DeepFM click-through model with Keras fit."""
import numpy as np
import keras
from keras import layers, ops

FIELDS = [("segment", 40), ("category", 30), ("hour", 24), ("cross", 200)]
N_NUM = 6
DIM = 8


def make_data():
    rng = np.random.default_rng(2024)
    n = 7500
    seg = rng.integers(0, 40, n)
    cat = rng.integers(0, 30, n)
    hour = rng.integers(0, 24, n)
    cross = (seg * 31 + cat * 7) % 200
    num = rng.normal(size=(n, N_NUM))
    b_seg = rng.normal(size=40) * 0.8
    b_cat = rng.normal(size=30) * 0.8
    b_cross = rng.normal(size=200) * 0.7
    w = rng.normal(size=N_NUM) * 0.7
    z = (b_seg[seg] + b_cat[cat] + b_cross[cross] + 0.6 * np.sin(2 * np.pi * hour / 24)
         + num @ w + 0.5 * num[:, 0] * num[:, 1] - 0.8)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-z))).astype("float32")
    ids = np.stack([seg, cat, hour, cross], 1).astype("int64")
    num = num.astype("float32")
    return (ids[:6000], num[:6000], y[:6000]), (ids[6000:], num[6000:], y[6000:])


def inputs_of(ids, num):
    d = {name: ids[:, i] for i, (name, _) in enumerate(FIELDS)}
    d["num"] = num
    return d


def build_model():
    inputs = {name: keras.Input((), dtype="int32", name=name) for name, _ in FIELDS}
    inputs["num"] = keras.Input((N_NUM,), name="num")
    linear, vectors = [], []
    for name, size in FIELDS:
        linear.append(layers.Embedding(size, 1, embeddings_initializer="zeros", name="w_" + name)(inputs[name]))
        vectors.append(layers.Embedding(size, DIM, embeddings_initializer=keras.initializers.RandomUniform(-0.05, 0.05),
                                        name="v_" + name)(inputs[name]))
    wide = layers.Add()(linear)
    v = ops.stack(vectors, axis=1)
    fm = 0.5 * ops.sum(ops.square(ops.sum(v, axis=1)) - ops.sum(ops.square(v), axis=1), axis=1, keepdims=True)
    h = layers.Concatenate()(vectors + [inputs["num"]])
    h = layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros", name="fc1")(h)
    h = layers.Dense(16, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros", name="fc2")(h)
    deep = layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros", name="out")(h)
    return keras.Model(inputs, layers.Add()([wide, fm, deep]))


def main():
    keras.utils.set_random_seed(5)
    train, test = make_data()
    model = build_model()
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate=0.25, momentum=0.0),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy(threshold=0.0, name="acc")],
    )
    model.fit(inputs_of(*train[:2]), train[2][:, None], batch_size=128, epochs=7, shuffle=True, verbose=2)
    loss, acc = model.evaluate(inputs_of(*test[:2]), test[2][:, None], batch_size=500, verbose=0)
    print(f"test logloss {loss:.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
