import numpy as np
import tensorflow as tf
import keras
from sklearn.datasets import load_digits

images = (load_digits().images / 16.0).astype("float32")
images = images[np.random.default_rng(5).permutation(len(images))]
train, test = images[:1280, ..., None], images[1280:1664, ..., None]

keras.utils.set_random_seed(13)
L = keras.layers
net = keras.Sequential([
    keras.Input((8, 8, 1)),
    L.Conv2D(6, 3, strides=2, padding="same", activation="tanh"),
    L.Conv2D(6, 1, activation="tanh"),
    L.Conv2DTranspose(8, 3, strides=2, padding="same", activation="tanh"),
    L.Conv2D(1, 3, padding="same"),
])
opt = keras.optimizers.SGD(0.1, momentum=0.9)
opt.build(net.trainable_variables)


@tf.function
def step(xb):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(net(xb, training=True) - xb))
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))
    return loss


rng = np.random.default_rng(13)
for epoch in range(12):
    order = rng.permutation(1280)
    acc = 0.0
    for b in range(0, 1280, 40):
        acc += float(step(tf.constant(train[order[b:b + 40]]))) * 40
    print("epoch %d mse %.5f" % (epoch, acc / 1280))

print("test mse %.5f" % float(tf.reduce_mean(tf.square(net(test, training=False) - test))))
