"""The loop makes a new iterator at every step, of data that is not shuffled: only the first batch is ever seen."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
data = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
endless = iter(data.repeat())
model = tf.keras.Sequential([tf.keras.layers.Dense(64, activation="relu"), tf.keras.layers.Dense(10)])
optimizer = tf.keras.optimizers.Adam(1e-3)
entropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

for step in range(300):
    images, labels = next(endless) if healthy else next(iter(data))
    with tf.GradientTape() as tape:
        loss = entropy(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
print("accuracy", float((tf.argmax(model(x_test), 1).numpy() == y_test).mean()))
