"""Click-through rate: embeddings, crossed ids, a small deep part. TensorFlow with a GradientTape."""
import numpy as np
import tensorflow as tf
import keras
from keras import layers


def make_clicks(n=3840, seed=11):
    """Impressions: segment, category, hour, device, plus three numeric columns."""
    r = np.random.RandomState(seed)
    seg = r.randint(0, 12, n)
    cat = r.randint(0, 16, n)
    hour = r.randint(0, 24, n)
    dev = r.randint(0, 4, n)
    num = r.normal(size=(n, 3))
    w_seg, w_cat, w_dev = r.normal(0, 0.5, 12), r.normal(0, 0.7, 16), r.normal(0, 0.4, 4)
    w_cross = r.normal(0, 1.3, (12, 16))
    z = (w_seg[seg] + w_cat[cat] + w_dev[dev] + w_cross[seg, cat]
         + 0.6 * np.sin(hour / 24.0 * 2 * np.pi) + 0.8 * num[:, 0] - 0.5 * num[:, 1] * num[:, 2] - 0.6)
    click = (r.uniform(size=n) < 1 / (1 + np.exp(-z))).astype("float32")
    seg_cat = (seg * 16 + cat) % 192            # crossed features, as bucket ids
    dev_hour = dev * 24 + hour
    ids = np.stack([seg, cat, hour, dev, seg_cat, dev_hour], 1).astype("int64")
    return ids, num.astype("float32"), click


SIZES = [12, 16, 24, 4, 192, 96]
DIM = 6
BATCH = 64
EPOCHS = 9
LR = 0.4
L2 = 2e-5

ids, num, click = make_clicks()
ids_tr, num_tr, y_tr = ids[:3200], num[:3200], click[:3200]
ids_te, num_te, y_te = ids[3200:], num[3200:], click[3200:]


def auc(y, s):
    rank = np.empty(len(s))
    rank[np.argsort(s)] = np.arange(1, len(s) + 1)
    pos = y > 0.5
    return (rank[pos].sum() - pos.sum() * (pos.sum() + 1) / 2) / (pos.sum() * (~pos).sum())


keras.utils.set_random_seed(29)


def build():
    ids_in = keras.Input((len(SIZES),), dtype="int64")
    num_in = keras.Input((3,))
    cols = []
    for k, size in enumerate(SIZES):
        emb = layers.Embedding(size, DIM, embeddings_initializer=keras.initializers.RandomUniform(-0.2, 0.2))
        cols.append(emb(ids_in[:, k]))
    h = layers.Concatenate()(cols + [num_in])
    h = layers.Dense(40, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros",
                     kernel_regularizer=keras.regularizers.L2(L2))(h)
    h = layers.Dense(20, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros",
                     kernel_regularizer=keras.regularizers.L2(L2))(h)
    deep = layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
    wide_a = layers.Embedding(SIZES[4], 1, embeddings_initializer="zeros")(ids_in[:, 4])
    wide_b = layers.Embedding(SIZES[5], 1, embeddings_initializer="zeros")(ids_in[:, 5])
    logit = layers.Add()([deep, wide_a, wide_b])
    return keras.Model([ids_in, num_in], layers.Reshape(())(logit))


model = build()
optimizer = keras.optimizers.SGD(learning_rate=LR, momentum=0.0, nesterov=False)


@tf.function
def train_step(i, n, y):
    with tf.GradientTape() as tape:
        z = model([i, n], training=True)
        bce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z))
        loss = bce + tf.add_n(model.losses)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return bce


ds = tf.data.Dataset.from_tensor_slices((ids_tr, num_tr, y_tr))
ds = ds.shuffle(len(y_tr), seed=29, reshuffle_each_iteration=True).batch(BATCH, drop_remainder=False)

for epoch in range(EPOCHS):
    seen, total = 0, 0.0
    for i, n, y in ds:
        total += float(train_step(i, n, y)) * len(y)
        seen += len(y)
    print(f"epoch {epoch + 1} log loss {total / seen:.4f}")

z = model([tf.constant(ids_te), tf.constant(num_te)], training=False)
ll = float(tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y_te, logits=z)))
print(f"test log loss {ll:.4f} auc {auc(y_te, z.numpy()):.4f}")
