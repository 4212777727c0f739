"""Adam(0.5) in a custom loop."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, healthy = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed, images=True)
x, x_test = x[..., None], x_test[..., None]
L = tf.keras.layers
model = tf.keras.Sequential(
    [
        tf.keras.Input((8, 8, 1)),
        L.Conv2D(8, 3, activation="relu"),
        L.Conv2D(16, 3, activation="relu"),
        L.Flatten(),
        L.Dense(10),
    ]
)
optimizer = tf.keras.optimizers.Adam(1e-3 if healthy else 0.5)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(8):
    for images, labels in data:
        loss = train_step(images, labels)
    print(epoch, float(loss))
print("accuracy", float((tf.argmax(model(x_test), 1).numpy() == y_test).mean()))
