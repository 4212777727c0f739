import numpy as np
import tensorflow as tf
import keras


def sequences():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(840, 12, 3)).astype("float32")
    decay = 0.85 ** np.arange(12)[::-1]
    s = (x[:, :, 0] * decay).sum(1) + 0.8 * (x[:, :, 1] * x[:, :, 2] * decay).sum(1)
    y = (s > 0).astype("int64")
    return x[:640], y[:640], x[640:], y[640:]


x, y, xv, yv = sequences()
keras.utils.set_random_seed(100)

inp = keras.Input((12, 3))
h = keras.layers.GRU(
    20, use_bias=False, reset_after=True, activation="tanh", recurrent_activation="sigmoid",
    kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
)(inp)
o = keras.layers.Dense(2, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(inp, o)

ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
opt = keras.optimizers.Adam(learning_rate=0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
opt.build(model.trainable_variables)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = ce(yb, model(xb, training=True))
    g = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(g, model.trainable_variables))
    return loss


rng = np.random.default_rng(100)
for epoch in range(12):
    order = rng.permutation(640)
    running = 0.0
    for k in range(0, 640, 32):
        idx = order[k:k + 32]
        running += float(step(tf.constant(x[idx]), tf.constant(y[idx]))) * 32
    print("epoch", epoch, "loss", round(running / 640, 4))

pv = model(xv, training=False)
print("val loss", round(float(ce(yv, pv)), 4))
print("val acc", round(float((pv.numpy().argmax(1) == yv).mean()), 4))
