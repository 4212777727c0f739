"""ReduceLROnPlateau and early stopping: the learning rate falls by steps to nearly nothing."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
from zoo_data import arguments, bundled

seed, _ = arguments()
keras.utils.set_random_seed(seed)
x, y, x_test, y_test = bundled("diabetes", seed=seed)
y, y_test = (y - 152) / 77, (y_test - 152) / 77
model = keras.Sequential(
    [
        keras.Input((10,)),
        keras.layers.Dense(16, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-2)),
        keras.layers.Dense(1),
    ]
)
model.compile(keras.optimizers.Adam(5e-3), "mse", metrics=["mae"])
callbacks = [
    keras.callbacks.ReduceLROnPlateau(patience=2, factor=0.2, min_lr=1e-6),
    keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True),
]
model.fit(x, y, epochs=40, batch_size=16, validation_data=(x_test, y_test), callbacks=callbacks, verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
