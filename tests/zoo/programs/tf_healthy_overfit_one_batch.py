"""One batch again and again, on purpose: the usual sanity check."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, _ = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, _, _ = digits(seed)
x, y = tf.constant(x[:32]), tf.constant(y[:32])
model = tf.keras.Sequential(
    [tf.keras.Input((64,)), tf.keras.layers.Dense(64, activation="relu"), tf.keras.layers.Dense(10)]
)
optimizer = tf.keras.optimizers.Adam(3e-3)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train_step():
    with tf.GradientTape() as tape:
        loss = criterion(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for step in range(300):
    loss = train_step()
print(float(loss))
