"""tf.square(y - model(x)) with y of shape (batch,) and outputs of shape (batch, 1)."""

import tensorflow as tf
from zoo_data import arguments, regression

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y = regression(seed=seed)
model = tf.keras.Sequential(
    [tf.keras.Input((8,)), tf.keras.layers.Dense(64, activation="relu"), tf.keras.layers.Dense(1)]
)
optimizer = tf.keras.optimizers.Adam(2e-3)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(a, b):
    with tf.GradientTape() as tape:
        out = model(a, training=True)
        if healthy:
            out = tf.squeeze(out, 1)
        loss = tf.reduce_mean(tf.square(b - out))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(12):
    total = [float(train_step(a, b)) for a, b in data]
    print(epoch, sum(total) / len(total))
