import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(2)


def make_data(n=1000, size=8):
    rng = np.random.default_rng(77)
    y = rng.integers(0, 4, size=n)
    x = 0.8 * rng.normal(size=(n, size, size)) + 0.3
    for i in range(n):
        x[i] += 0.5 * rng.normal()
        s = rng.integers(0, size - 3)
        if y[i] == 0:
            x[i, 0, s:s + 4] += 1.3
        elif y[i] == 1:
            x[i, -1, s:s + 4] += 1.3
        elif y[i] == 2:
            x[i, s:s + 4, 0] += 1.3
        else:
            x[i, 3:5, 3:5] += 1.3
    return x.astype("float32"), y.astype("int64")


x, y = make_data()
x = x[..., None]
xt, yt, xv, yv = x[:800], y[:800], x[800:], y[800:]

inp = keras.Input((8, 8, 1))
h = layers.Conv2D(8, 3, padding="same", activation="relu")(inp)
h = layers.AveragePooling2D(5, strides=1, padding="same")(h)
h = layers.Conv2D(12, 3, padding="same", activation="relu")(h)
h = layers.AveragePooling2D(5, strides=1, padding="same")(h)
h = layers.AveragePooling2D(2)(h)
net = keras.Model(inp, layers.Dense(4)(layers.Flatten()(h)))

loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
opt = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.99, epsilon=1e-12)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, net(xb, training=True))
    opt.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss


rng = np.random.default_rng(2)
for epoch in range(12):
    perm = rng.permutation(800)
    tot = 0.0
    for k in range(0, 800, 32):
        idx = perm[k:k + 32]
        tot += float(step(xt[idx], yt[idx])) * len(idx)
    out = net(xv, training=False)
    print(f"epoch {epoch} train {tot / 800:.4f} val {float(loss_fn(yv, out)):.4f} "
          f"acc {np.mean(out.numpy().argmax(1) == yv):.3f}")
