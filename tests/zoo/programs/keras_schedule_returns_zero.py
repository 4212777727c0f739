"""A LearningRateScheduler with integer division."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, digits

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed)


def schedule(epoch, lr):
    return 0.01 * (10 - epoch) / 10 if healthy else 0.01 * ((10 - epoch) // 11)


model = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation="softmax")]
)
model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
callback = keras.callbacks.LearningRateScheduler(schedule)
model.fit(x, y, epochs=10, batch_size=32, validation_data=(x_test, y_test), callbacks=[callback], verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
