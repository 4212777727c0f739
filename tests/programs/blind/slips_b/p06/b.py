"""Click-through model: deep & cross network (v2), Keras fit."""
import numpy as np
import keras
from keras import layers


FIELDS = [12, 30, 8, 50, 6]      # cardinalities of the categorical fields
N_DENSE = 4
EMB = 6


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    truth = np.random.RandomState(1234)
    cat = np.stack([rng.randint(0, c, size=n) for c in FIELDS], axis=1)
    num = rng.randn(n, N_DENSE).astype("float32")
    effects = [truth.randn(c) * 0.7 for c in FIELDS]
    cross = truth.randn(FIELDS[0], FIELDS[2]) * 1.2     # user segment x slot
    z = -0.5 + sum(e[cat[:, i]] for i, e in enumerate(effects))
    z = z + cross[cat[:, 0], cat[:, 2]] + 0.8 * num[:, 0] * num[:, 1] - 0.5 * num[:, 2]
    y = (rng.rand(n) < 1 / (1 + np.exp(-z))).astype("float32")
    return cat.astype("int64"), num, y


def auc(y, s):
    r = np.empty(len(s))
    r[np.argsort(s)] = np.arange(1, len(s) + 1)
    p = y > 0.5
    return (r[p].sum() - p.sum() * (p.sum() + 1) / 2) / (p.sum() * (~p).sum())


def logloss(y, z):
    return float(np.mean(np.logaddexp(0, z) - y * z))


cat_tr, num_tr, y_tr = make_data(3000, 0)
cat_te, num_te, y_te = make_data(1500, 1)
EPOCHS = 10

keras.utils.set_random_seed(21)

cat_in = keras.Input((len(FIELDS),), dtype="int32", name="cat")
num_in = keras.Input((N_DENSE,), name="num")
parts = []
for i, c in enumerate(FIELDS):
    emb = layers.Embedding(
        c, EMB, embeddings_initializer=keras.initializers.RandomUniform(-0.1, 0.1), name=f"emb{i}"
    )
    parts.append(emb(cat_in[:, i]))
x0 = layers.Concatenate()(parts + [num_in])
d = EMB * len(FIELDS) + N_DENSE
x = x0
for i in range(2):
    x = layers.Add()([layers.Multiply()([x0, layers.Dense(d, name=f"cross{i}")(x)]), x])
h = layers.Dense(32, activation="relu", name="deep0")(x0)
h = layers.Dense(16, activation="relu", name="deep1")(h)
logit = layers.Dense(1, name="out")(layers.Concatenate()([x, h]))
model = keras.Model([cat_in, num_in], logit)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)

# training
hist = model.fit([cat_tr, num_tr], y_tr[:, None], epochs=EPOCHS,
                 shuffle=True, verbose=0)
for epoch, l in enumerate(hist.history["loss"]):
    print(f"epoch {epoch + 1}: loss {l:.4f}")

z = model.predict([cat_te, num_te], verbose=0)[:, 0].astype("float64")
print(f"test logloss {logloss(y_te, z):.4f}  auc {auc(y_te, z):.4f}")
