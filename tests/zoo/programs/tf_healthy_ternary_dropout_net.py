"""Heavy dropout, few samples, a loss that is mostly noise."""

import tensorflow as tf
from zoo_data import arguments, bundled

seed, _ = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = bundled("wine", seed=seed)
L = tf.keras.layers
model = tf.keras.Sequential(
    [
        tf.keras.Input((13,)),
        L.Dense(64, activation="relu"),
        L.Dropout(0.7),
        L.Dense(64, activation="relu"),
        L.Dropout(0.7),
        L.Dense(3),
    ]
)
optimizer = tf.keras.optimizers.RMSprop(1e-3)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(200, seed=seed).batch(8)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(20):
    for images, labels in data:
        loss = train_step(images, labels)
print(float(loss), float((tf.argmax(model(x_test, training=False), 1).numpy() == y_test).mean()))
