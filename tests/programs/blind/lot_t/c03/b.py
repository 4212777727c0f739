import numpy as np
import tensorflow as tf
import keras
from keras import layers

WINDOW, UNITS = 12, 20


def traffic(n=480):
    rng = np.random.default_rng(55)
    t = np.arange(n + WINDOW)
    flow = np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(2 * np.pi * t / 9 + 1) + 0.1 * rng.normal(size=len(t))
    temp = np.cos(2 * np.pi * t / 48) + 0.2 * rng.normal(size=len(t))
    flow = flow + 0.3 * temp
    series = np.stack([flow, temp], axis=1)
    x = np.stack([series[i:i + WINDOW] for i in range(n)])
    y = flow[WINDOW:WINDOW + n, None]
    return x.astype("float32"), y.astype("float32")


keras.utils.set_random_seed(17)
x, y = traffic()
x_train, y_train, x_test, y_test = x[:384], y[:384], x[384:], y[384:]

net = keras.Sequential([
    keras.Input((WINDOW, 2)),
    layers.GRU(UNITS, reset_after=True, kernel_initializer="glorot_uniform",
               recurrent_initializer="orthogonal", bias_initializer="zeros"),
    layers.Dense(1),
])
optimizer = keras.optimizers.Adam(learning_rate=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-12)
huber = keras.losses.Huber(delta=0.5)
train_ds = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(384).batch(32)


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = huber(yb, net(xb, training=True))
    grads = tape.gradient(loss, net.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 0.5)
    optimizer.apply_gradients(zip(grads, net.trainable_variables))
    return loss


for epoch in range(1, 26):
    total = 0.0
    for xb, yb in train_ds:
        total += float(train_step(xb, yb)) * int(xb.shape[0])
    if epoch % 5 == 0:
        print(f"epoch {epoch} huber {total / 384:.5f}")

print("test mae", float(tf.reduce_mean(tf.abs(net(x_test, training=False) - y_test))))
