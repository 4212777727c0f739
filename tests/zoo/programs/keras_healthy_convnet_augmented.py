"""Random translation and rotation layers, BatchNorm, global pooling."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, digits

seed, _ = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = digits(seed, images=True)
L = keras.layers
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        L.RandomTranslation(0.1, 0.1),
        L.RandomRotation(0.05),
        L.Conv2D(16, 3, padding="same"),
        L.BatchNormalization(),
        L.ReLU(),
        L.MaxPooling2D(),
        L.Conv2D(32, 3, padding="same"),
        L.BatchNormalization(),
        L.ReLU(),
        L.GlobalAveragePooling2D(),
        L.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[..., None], y, epochs=6, batch_size=32, validation_data=(x_test[..., None], y_test), verbose=0)
print(model.evaluate(x_test[..., None], y_test, verbose=0))
