"""Micro-batches are accumulated; the accumulators are never set back to zero."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
model = tf.keras.Sequential(
    [tf.keras.Input((64,)), tf.keras.layers.Dense(48, activation="relu"), tf.keras.layers.Dense(10)]
)
optimizer = tf.keras.optimizers.SGD(0.05)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
sums = [tf.Variable(tf.zeros_like(w), trainable=False) for w in model.trainable_variables]


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(images, training=True))
    for total, gradient in zip(sums, tape.gradient(loss, model.trainable_variables)):
        total.assign_add(gradient)
    optimizer.apply_gradients(zip([tf.convert_to_tensor(s) for s in sums], model.trainable_variables))
    if healthy:
        for total in sums:
            total.assign(tf.zeros_like(total))
    return loss


data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)
for epoch in range(8):
    for images, labels in data:
        loss = train_step(images, labels)
    print(epoch, float(loss))
print("accuracy", float((tf.argmax(model(x_test), 1).numpy() == y_test).mean()))
