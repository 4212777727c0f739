"""-log(p) of a softmax that saturates."""

import tensorflow as tf
from zoo_data import arguments, blobs

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y = blobs(classes=5, spread=2.0, seed=seed)
x = 30 * x
model = tf.keras.Sequential(
    [tf.keras.Input((10,)), tf.keras.layers.Dense(32, activation="relu"), tf.keras.layers.Dense(5)]
)
optimizer = tf.keras.optimizers.SGD(0.001)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(a, b):
    with tf.GradientTape() as tape:
        logits = model(a, training=True)
        if healthy:
            log_p = tf.nn.log_softmax(logits)
        else:
            log_p = tf.math.log(tf.nn.softmax(logits))
        loss = -tf.reduce_mean(tf.reduce_sum(tf.one_hot(b, 5) * log_p, axis=1))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(8):
    for a, b in data:
        loss = train_step(a, b)
    print(epoch, float(loss))
