"""Validation is called with training=True."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
L = tf.keras.layers
model = tf.keras.Sequential(
    [
        tf.keras.Input((64,)),
        L.Dense(96, activation="relu"),
        L.Dropout(0.5),
        L.Dense(96, activation="relu"),
        L.Dropout(0.5),
        L.Dense(10),
    ]
)
optimizer = tf.keras.optimizers.Adam(1e-3)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


@tf.function
def test_step(images, labels):
    out = model(images, training=not healthy)
    return criterion(labels, out), tf.reduce_mean(tf.cast(tf.equal(tf.argmax(out, 1), labels), tf.float32))


for epoch in range(8):
    for images, labels in data:
        loss = train_step(images, labels)
    print(epoch, float(loss), [float(v) for v in test_step(tf.constant(x_test), tf.constant(y_test))])
