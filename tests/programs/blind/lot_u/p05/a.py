import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

RATE, TAU, BATCH, EPOCHS = 0.3, 0.2, 64, 20

digits = load_digits()
order = np.random.default_rng(2).permutation(len(digits.data))
X = (digits.data[order] / 16.0).astype("float32")
Y = digits.target[order]
Xtr, Ytr, Xte, Yte = X[:640], Y[:640], X[640:1040], Y[640:1040]

keras.utils.set_random_seed(31)
kw = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
encoder = keras.Sequential([
    keras.Input((64,)),
    layers.Dropout(RATE),
    layers.Dense(64, activation="tanh", **kw),
    layers.Dropout(RATE),
    layers.Dense(16, **kw),
])
opt = keras.optimizers.Adam(2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(encoder.trainable_variables)


def info_nce(u, v):
    u, v = tf.math.l2_normalize(u, -1), tf.math.l2_normalize(v, -1)
    sim = tf.einsum("id,jd->ij", u, v) / TAU
    lab = tf.range(tf.shape(sim)[0])
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(lab, sim))


@tf.function
def train_step(x):
    with tf.GradientTape() as tape:
        loss = info_nce(encoder(x), encoder(x))
    grads = tape.gradient(loss, encoder.trainable_variables)
    opt.apply_gradients(zip(grads, encoder.trainable_variables))
    return loss


def knn_accuracy():
    a = tf.math.l2_normalize(encoder(Xte, training=False), -1).numpy()
    b = tf.math.l2_normalize(encoder(Xtr, training=False), -1).numpy()
    return np.mean(Ytr[(a @ b.T).argmax(1)] == Yte)


rng = np.random.default_rng(31)
for epoch in range(EPOCHS):
    perm = rng.permutation(len(Xtr))
    ls = [float(train_step(Xtr[perm[i:i + BATCH]])) for i in range(0, len(Xtr), BATCH)]
    print(f"epoch {epoch:2d} loss {np.mean(ls):.4f} 1-nn {knn_accuracy():.3f}")
