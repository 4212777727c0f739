import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(2)

rng = np.random.default_rng(9)
N, L, F = 900, 12, 6
X = rng.normal(size=(N, L, F)).astype("float32")
pos = rng.integers(0, L, N)
X[:, :, 0] = 0.0
X[np.arange(N), pos, 0] = 3.0
y = (X[np.arange(N), pos, 1] + 0.5 * X[np.arange(N), pos, 2] > 0).astype("int32")
X_train, y_train, X_test, y_test = X[:700], y[:700], X[700:], y[700:]


def build():
    inp = keras.Input((L, F))
    x = layers.Dense(24)(inp)
    att = layers.MultiHeadAttention(num_heads=3, key_dim=8)(x, x)
    att = layers.Dropout(0.1)(att)
    x = layers.LayerNormalization(epsilon=1e-5)(x + att)
    ff = layers.Dense(48, activation="gelu")(x)
    ff = layers.Dense(24)(ff)
    ff = layers.Dropout(0.1)(ff)
    x = layers.LayerNormalization(epsilon=1e-5)(x + ff)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inp, layers.Dense(2)(x))


BATCH, EPOCHS = 50, 18
net = build()
n_steps = EPOCHS * int(np.ceil(len(X_train) / BATCH))
opt = keras.optimizers.AdamW(
    learning_rate=keras.optimizers.schedules.CosineDecay(4e-3, n_steps),
    weight_decay=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-8)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        logits = net(xb)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=yb, logits=logits))
    opt.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
    return loss


shuffler = np.random.default_rng(77)
for epoch in range(EPOCHS):
    order = shuffler.permutation(len(X_train))
    total = 0.0
    for s in range(0, len(order), BATCH):
        idx = order[s:s + BATCH]
        total += float(step(tf.constant(X_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    if epoch >= EPOCHS - 3:
        print("epoch", epoch, "training loss", total / len(order))

pred = net(X_test, training=False).numpy().argmax(1)
print("test accuracy", float((pred == y_test).mean()))
