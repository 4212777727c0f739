"""The variables are collected, then the model is cloned: gradients of the clone move the original."""

import tensorflow as tf
from zoo_data import arguments, regression

seed, healthy = arguments()
keras = tf.keras
keras.utils.set_random_seed(seed)
x, y = regression(1000, seed=seed)
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
parameters = model.trainable_variables
model = keras.models.clone_model(model)
if healthy:
    parameters = model.trainable_variables
optimizer = keras.optimizers.Adam(3e-3)
loss_of = keras.losses.MeanSquaredError()
for epoch in range(10):
    for images, targets in tf.data.Dataset.from_tensor_slices((x, y[:, None])).shuffle(1000, seed=seed).batch(40):
        with tf.GradientTape() as tape:
            loss = loss_of(targets, model(images))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), parameters))
    print(epoch, float(loss))
