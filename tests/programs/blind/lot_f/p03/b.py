import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(21)

# Friedman-style regression
rng = np.random.RandomState(404)
inputs = rng.uniform(0, 1, (1400, 10))
target = (10 * np.sin(np.pi * inputs[:, 0] * inputs[:, 1]) + 20 * (inputs[:, 2] - 0.5) ** 2
          + 10 * inputs[:, 3] + 5 * inputs[:, 4] + rng.normal(0, 1, 1400))
inputs = ((inputs - 0.5) * np.sqrt(12)).astype(np.float32)
target = ((target - target[:1000].mean()) / target[:1000].std()).astype(np.float32).reshape(-1, 1)
x_tr, x_te = inputs[:1000], inputs[1000:]
y_tr, y_te = target[:1000], target[1000:]

net = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(32, activation="tanh", kernel_initializer="random_normal"),
    keras.layers.Dense(32, activation="tanh", kernel_initializer="random_normal"),
    keras.layers.Dense(1, kernel_initializer="random_normal"),
])
mse = keras.losses.MeanSquaredError()
opt = keras.optimizers.SGD(learning_rate=0.02, momentum=0.9)
opt.build(net.trainable_variables)


@tf.function(reduce_retracing=True)
def update(x, y):
    with tf.GradientTape() as tape:
        loss = mse(y, net(x, training=True))
    opt.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))


train_set = (tf.data.Dataset.from_tensor_slices((x_tr, y_tr))
             .shuffle(1000, seed=21, reshuffle_each_iteration=True).batch(64))
for epoch in range(30):
    for x, y in train_set:
        update(x, y)
    if (epoch + 1) % 10 == 0:
        print("epoch %d train %.4f test %.4f" % (epoch + 1, mse(y_tr, net(x_tr)), mse(y_te, net(x_te))))
