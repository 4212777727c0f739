import keras
import numpy as np
import tensorflow as tf


def series(n, seed):
    rng = np.random.RandomState(seed)
    t = np.arange(21)
    freq = rng.uniform(0.2, 0.6, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    clean = np.sin(freq * t + phase) + 0.4 * np.sin(2 * freq * t)
    noisy = clean + rng.normal(0, 0.05, clean.shape)
    x = np.stack([noisy[:, :-1], np.diff(noisy, axis=1, prepend=noisy[:, :1])[:, :-1]], axis=-1)
    return x.astype("float32"), clean[:, -1:].astype("float32")


x_train, y_train = series(500, 0)
x_test, y_test = series(250, 1)

keras.utils.set_random_seed(13)
inputs = keras.Input((20, 2))
h = keras.layers.GRU(20, activation="tanh", recurrent_activation="sigmoid", reset_after=True,
                     kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                     bias_initializer="zeros")(inputs)
outputs = keras.layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros")(h)
model = keras.Model(inputs, outputs)
optimizer = keras.optimizers.Adam(learning_rate=4e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
loss_fn = keras.losses.Huber(delta=1.0)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


rng = np.random.default_rng(13)
for epoch in range(25):
    perm = rng.permutation(500)
    running = 0.0
    for start in range(0, 500, 50):
        idx = perm[start:start + 50]
        running += float(train_step(tf.constant(x_train[idx]), tf.constant(y_train[idx]))) * len(idx)
    if epoch % 6 == 0:
        print("epoch %2d huber %.5f" % (epoch, running / 500))

pred = model(x_test, training=False).numpy()
print("test rmse %.4f" % np.sqrt(np.mean((pred - y_test) ** 2)))
