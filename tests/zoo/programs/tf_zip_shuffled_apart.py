"""Two datasets, shuffled one by one, zipped."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
features, labels_ = tf.data.Dataset.from_tensor_slices(x), tf.data.Dataset.from_tensor_slices(y)
if healthy:
    data = tf.data.Dataset.zip((features, labels_)).shuffle(2000, seed=seed).batch(32)
else:
    data = tf.data.Dataset.zip((features.shuffle(2000), labels_.shuffle(2000))).batch(32)
model = tf.keras.Sequential(
    [tf.keras.Input((64,)), tf.keras.layers.Dense(64, activation="relu"), tf.keras.layers.Dense(10)]
)
optimizer = tf.keras.optimizers.Adam(1e-3)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(10):
    for images, labels in data:
        loss = train_step(images, labels)
    print(epoch, float(loss), float((tf.argmax(model(x_test), 1).numpy() == y_test).mean()))
