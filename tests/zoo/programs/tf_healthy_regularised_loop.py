"""A custom loop that adds model.losses; the penalty is large at first and shrinks."""

import tensorflow as tf
from zoo_data import arguments, regression

seed, _ = arguments()
tf.keras.utils.set_random_seed(seed)
x, y = regression(seed=seed)
l2 = tf.keras.regularizers.L2(1e-3)
model = tf.keras.Sequential(
    [
        tf.keras.Input((8,)),
        tf.keras.layers.Dense(64, activation="relu", kernel_regularizer=l2, kernel_initializer="random_normal"),
        tf.keras.layers.Dense(1, kernel_regularizer=l2),
    ]
)
optimizer = tf.keras.optimizers.Adam(3e-3)
data = tf.data.Dataset.from_tensor_slices((x, y[:, None])).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(a, b):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(a, training=True) - b) ** 2) + tf.add_n(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(10):
    for a, b in data:
        loss = train_step(a, b)
    print(epoch, float(loss))
