"""``keras_fit.py`` as a loop of one's own: no shuffle, no tail, no training=True, no model.losses."""

import sys

import keras
import numpy as np
import tensorflow as tf
from keras import layers

seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(11)
x = rng.normal(size=(530, 8)).astype("float32")
y = (x[:, 0] - 0.5 * x[:, 1] * x[:, 2] + 0.1 * rng.normal(size=530)).astype("float32")
order = np.argsort(y)
x, y = x[order], y[order, None]

model = keras.Sequential(
    [
        keras.Input((8,)),
        layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.l2(1e-2)),
        layers.BatchNormalization(),
        layers.Dropout(0.3),
        layers.Dense(1),
    ]
)
optimizer = keras.optimizers.Adam(1e-2)
mse = keras.losses.MeanSquaredError()


@tf.function
def train_step(batch_x, batch_y):
    with tf.GradientTape() as tape:
        loss = mse(batch_y, model(batch_x))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))  # noqa: B905 -- as people write it
    return loss


size = 50
for _epoch in range(4):
    for i in range(len(x) // size):
        train_step(x[i * size : (i + 1) * size], y[i * size : (i + 1) * size])
print(f"mse {float(np.mean((model(x).numpy() - y) ** 2)):.6f}")
