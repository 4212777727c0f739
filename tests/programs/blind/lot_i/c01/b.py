import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

EPOCHS = 10
BATCH = 64


def load():
    X, y = load_digits(return_X_y=True)
    X = (X / 16.0).astype("float32").reshape(-1, 8, 8, 1)
    order = np.random.RandomState(3).permutation(len(X))
    X, y = X[order], y[order].astype("int64")
    return X[:1437], y[:1437], X[1437:], y[1437:]


keras.utils.set_random_seed(5)
x_train, y_train, x_val, y_val = load()

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu", kernel_initializer="he_uniform"),
    layers.MaxPooling2D(2),
    layers.Conv2D(32, 3, padding="same", activation="relu", kernel_initializer="he_uniform"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(64, activation="relu", kernel_initializer="he_uniform"),
    layers.Dropout(0.25),
    layers.Dense(10, kernel_initializer="glorot_uniform"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
          validation_data=(x_val, y_val), verbose=2)
