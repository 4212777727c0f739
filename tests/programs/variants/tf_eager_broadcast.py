"""An eager loop with a loss by hand, which broadcasts; batches from tf.data; the penalty added."""

import sys

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
rng = np.random.default_rng(1)
x = rng.normal(size=(330, 5)).astype("float32")
y = (x[:, 0] - x[:, 1]).astype("float32")
model = keras.Sequential(
    [
        keras.Input((5,)),
        keras.layers.Dense(16, activation="tanh", kernel_regularizer="l2"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1, name="head"),
    ]
)
optimizer = keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(330, seed=1).batch(32)
for _ in range(3):
    for features, target in data:
        with tf.GradientTape() as tape:
            prediction = model(features, training=True)
            loss = tf.reduce_mean((prediction - target) ** 2)
            loss += sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))  # noqa: B905 -- as people write it
print(f"mse {float(np.mean((model(x).numpy()[:, 0] - y) ** 2)):.6f}")
