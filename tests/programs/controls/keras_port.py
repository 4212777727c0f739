"""Three small tasks in Keras, by ``fit()`` or by a loop that copies it exactly: TASK SEED fit|tape."""

import sys

import keras
import numpy as np
import tensorflow as tf
from data import load
from keras import layers

task, seed, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
keras.utils.set_random_seed(seed)
x, y, x_val, y_val = (part.astype("float32") for part in load(task))
if task == "classes":
    y, y_val = y.astype("int32"), y_val.astype("int32")
else:
    y, y_val = y[:, None], y_val[:, None]

if task == "regression":
    stack = [layers.Dense(32, activation="relu"), layers.Dense(1)]
    optimizer, loss = keras.optimizers.Adam(1e-2), keras.losses.MeanSquaredError()
elif task == "classes":
    stack = [layers.Dense(32, activation="tanh"), layers.Dense(3)]
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
else:
    penalty = keras.regularizers.l2(1e-3)
    stack = [layers.Dense(32, activation="relu", kernel_regularizer=penalty), layers.BatchNormalization()]
    stack += [layers.Dropout(0.2), layers.Dense(1)]
    optimizer, loss = keras.optimizers.AdamW(5e-3, weight_decay=0.004), keras.losses.MeanSquaredError()
model = keras.Sequential([keras.Input((6,)), *stack])

if way == "fit":
    model.compile(optimizer=optimizer, loss=loss)
    model.fit(x, y, batch_size=40, epochs=8, validation_data=(x_val, y_val), verbose=0)
else:
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=seed).batch(40)

    @tf.function
    def train_step(rows, wanted):
        with tf.GradientTape() as tape:
            value = loss(wanted, model(rows, training=True)) + sum(model.losses)
        gradients = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    for _epoch in range(8):
        for rows, wanted in batches:
            train_step(rows, wanted)
print(float(np.mean(loss(y_val, model(x_val, training=False)))))
