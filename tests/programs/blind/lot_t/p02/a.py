import numpy as np
import tensorflow as tf
import keras
from keras import layers

keras.utils.set_random_seed(5)


def demand_series(n=814, lags=14):
    rng = np.random.default_rng(42)
    t = np.arange(n)
    level = 1.0 + 0.001 * t + 0.8 / (1 + np.exp(-(t - 620) / 12.0))
    season = 0.35 * np.sin(2 * np.pi * t / 7) + 0.2 * np.cos(2 * np.pi * t / 30)
    s = level * (1 + season) + 0.05 * rng.normal(size=n)
    x = np.stack([s[i:n - lags + i] for i in range(lags)], axis=1)
    y = s[lags:]
    return x.astype("float32"), y.astype("float32")[:, None]


x, y = demand_series()
x_train, y_train = x[:700], y[:700]
x_test, y_test = x[700:], y[700:]
batch_size = 192
epochs = 60

inputs = keras.Input((14,))
h = layers.Dense(32, activation="tanh")(inputs)
h = layers.Dense(16, activation="tanh")(h)
model = keras.Model(inputs, layers.Dense(1)(h))
opt = keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-12)


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        pred = model(xb, training=True)
        loss = tf.reduce_mean(tf.square(pred - yb))
    grads = tape.gradient(loss, model.trainable_weights)
    opt.apply_gradients(zip(grads, model.trainable_weights))
    return loss


n_batches = x_train.shape[0] // batch_size
for epoch in range(epochs):
    losses = []
    for i in range(n_batches):
        sl = slice(i * batch_size, (i + 1) * batch_size)
        losses.append(float(step(x_train[sl], y_train[sl])))
    if (epoch + 1) % 10 == 0:
        mse = float(np.mean((model(x_train, training=False).numpy() - y_train) ** 2))
        print(f"epoch {epoch + 1} train mse {mse:.5f}")

pred = model(x_test, training=False).numpy()
print("test mse", float(np.mean((pred - y_test) ** 2)))
