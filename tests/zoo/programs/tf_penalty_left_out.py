"""Layers declare L2, the custom loop never adds model.losses."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
l2 = tf.keras.regularizers.L2(5e-3)
model = tf.keras.Sequential(
    [
        tf.keras.Input((64,)),
        tf.keras.layers.Dense(64, activation="relu", kernel_regularizer=l2),
        tf.keras.layers.Dense(10, kernel_regularizer=l2),
    ]
)
optimizer = tf.keras.optimizers.Adam(1e-3)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(images, training=True))
        if healthy:
            loss += tf.add_n(model.losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(8):
    for images, labels in data:
        loss = train_step(images, labels)
    print(epoch, float(loss))
print("accuracy", float((tf.argmax(model(x_test), 1).numpy() == y_test).mean()))
