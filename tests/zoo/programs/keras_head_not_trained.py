"""trainable=False on the wrong layer: the random head is frozen, and so is everything before it."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, digits

seed, healthy = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed, images=True)
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
for layer in model.layers if not healthy else []:
    layer.trainable = False
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
if not healthy:
    model.layers[0].trainable = True  # too late: compiled already
model.fit(x[..., None], y, epochs=10, batch_size=32, validation_data=(x_test[..., None], y_test), verbose=0)
print(model.evaluate(x_test[..., None], y_test, verbose=0))
