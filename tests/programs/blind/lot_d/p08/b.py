import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(7)
DEPTH, WIDTH, BATCH, EPOCHS = 6, 32, 50, 16


def robot_arm(n, seed):
    rng = np.random.default_rng(seed)
    q = rng.uniform(-1.5, 1.5, (n, 4))
    s = np.cumsum(q, axis=1)
    xy = np.stack([np.cos(s).sum(1), np.sin(s).sum(1)], 1) / 2.0
    return q.astype("float32"), xy.astype("float32")


x_train, y_train = robot_arm(1200, 0)
x_test, y_test = robot_arm(400, 1)


def build():
    model = keras.Sequential([keras.Input((4,))])
    for _ in range(DEPTH):
        model.add(layers.Dense(WIDTH))
        model.add(layers.PReLU())
    model.add(layers.Dense(2))
    return model


net = build()
opt = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9)
mse = keras.losses.MeanSquaredError()


@tf.function
def step(xb, yb):
    with tf.GradientTape() as tape:
        loss = mse(yb, net(xb, training=True))
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))
    return loss


data = tf.data.Dataset.from_tensor_slices((x_train, y_train))
data = data.shuffle(len(x_train), reshuffle_each_iteration=True).batch(BATCH)
for epoch in range(EPOCHS):
    seen = 0.0
    for xb, yb in data:
        seen += float(step(xb, yb)) * len(xb)
    print("epoch", epoch + 1, "mse %.5f" % (seen / len(x_train)))

print("test mse %.5f" % float(mse(y_test, net(x_test, training=False))))
