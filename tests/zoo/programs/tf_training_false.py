"""model(x) in the training step, without training=True: dropout and BatchNorm are off."""

import tensorflow as tf
from zoo_data import arguments, bundled

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = bundled("digits", scaled=False, seed=seed)
L = tf.keras.layers
model = tf.keras.Sequential(
    [tf.keras.Input((64,)), L.Dense(64), L.BatchNormalization(), L.ReLU(), L.Dropout(0.3), L.Dense(10)]
)
optimizer = tf.keras.optimizers.Adam(1e-3)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(images, training=healthy))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(8):
    for images, labels in data:
        loss = train_step(images, labels)
    test = criterion(y_test, model(x_test, training=False))
    print(epoch, float(loss), float(test))
