import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(33)

rng = np.random.default_rng(64)
x = rng.uniform(-3, 3, size=(900, 4)).astype("float32")
y = (0.1 * np.sin(x[:, 0]) + 0.05 * x[:, 1] * np.cos(x[:, 2]) + 0.02 * x[:, 3]
     + 0.005 * rng.normal(size=900)).astype("float32").reshape(-1, 1)
xtr, ytr, xte, yte = x[:640], y[:640], x[640:], y[640:]

net = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(50, activation="tanh"),
    keras.layers.Dense(50, activation="tanh"),
    keras.layers.Dense(1),
])
opt = keras.optimizers.RMSprop(learning_rate=0.001, rho=0.9, epsilon=1e-2, momentum=0.0, centered=False)
ds = tf.data.Dataset.from_tensor_slices((xtr, ytr)).shuffle(640).batch(40)


def loss_fn(target, pred):
    return tf.reduce_mean(tf.square(pred - target))


@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, net(xb, training=True))
    grads = tape.gradient(loss, net.trainable_variables)
    opt.apply_gradients(zip(grads, net.trainable_variables))
    return loss


# train
for epoch in range(30):
    for xb, yb in ds:
        train_step(xb, yb)

print("train rmse", float(tf.sqrt(loss_fn(ytr, net(xtr, training=False)))))
print("test rmse", float(tf.sqrt(loss_fn(yte, net(xte, training=False)))))
