"""CosineDecayRestarts with plain SGD."""

import tensorflow as tf
from zoo_data import arguments, digits

seed, _ = arguments()
tf.keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)
model = tf.keras.Sequential(
    [tf.keras.Input((64,)), tf.keras.layers.Dense(64, activation="relu"), tf.keras.layers.Dense(10)]
)
schedule = tf.keras.optimizers.schedules.CosineDecayRestarts(0.5, 100, t_mul=1.0, m_mul=0.9)
optimizer = tf.keras.optimizers.SGD(schedule, momentum=0.9)
criterion = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000, seed=seed).batch(32)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        loss = criterion(labels, model(images, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(9):
    for images, labels in data:
        loss = train_step(images, labels)
    print(epoch, float(loss))
print("accuracy", float((tf.argmax(model(x_test), 1).numpy() == y_test).mean()))
