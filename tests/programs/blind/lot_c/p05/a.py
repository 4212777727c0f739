import numpy as np
import tensorflow as tf
import keras

rng = np.random.default_rng(55)
x = rng.uniform(-1, 1, size=(1100, 5)).astype("float32")
y = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * np.abs(x[:, 3]) + 0.05 * rng.normal(size=1100)
y = (y > 0.2).astype("float32")[:, None]
xa, ya, xb, yb = x[:900], y[:900], x[900:], y[900:]

keras.utils.set_random_seed(19)
net = keras.Sequential([
    keras.Input((5,)),
    keras.layers.Dense(30, activation="tanh"),
    keras.layers.Dense(30, activation="tanh"),
    keras.layers.Dense(1),
])
bce = keras.losses.BinaryCrossentropy(from_logits=True)
sgd = keras.optimizers.SGD(learning_rate=0.2)
sgd.build(net.trainable_variables)


@tf.function(reduce_retracing=True)
def step(bx, by):
    with tf.GradientTape() as tape:
        loss = bce(by, net(bx, training=True))
    sgd.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss


shuffle = np.random.default_rng(19)
for epoch in range(10):
    perm = shuffle.permutation(900)
    running = 0.0
    for i in range(0, 900, 45):
        j = perm[i:i + 45]
        running += float(step(tf.constant(xa[j]), tf.constant(ya[j]))) * len(j)
    print("epoch", epoch, "train loss %.5f" % (running / 900))
print("test loss %.5f" % float(bce(yb, net(xb, training=False))))
