import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

imgs = (load_digits().images / 16.0).astype("float32")[..., None]
imgs = imgs[np.random.default_rng(9).permutation(len(imgs))]
train, test = imgs[:1408], imgs[1408:]

keras.utils.set_random_seed(5)
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Flatten(),
    layers.Dense(16, activation="tanh"),
    layers.Dense(2 * 2 * 16, activation="relu"),
    layers.Reshape((2, 2, 16)),
    layers.Conv2DTranspose(24, 3, strides=1, padding="same", activation="relu"),
    layers.Conv2DTranspose(24, 2, strides=2, padding="valid", activation="relu"),
    layers.Conv2DTranspose(24, 3, strides=1, padding="same", activation="relu"),
    layers.Conv2DTranspose(24, 2, strides=2, padding="valid", activation="relu"),
    layers.Conv2D(1, 3, padding="same"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
    loss=keras.losses.MeanSquaredError(),
)
model.fit(train, train, batch_size=64, epochs=15, shuffle=True, verbose=2,
          validation_data=(test, test))
