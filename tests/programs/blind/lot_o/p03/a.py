"""Convolutional decoder for 8x8 digits: an autoencoder with a 16-dimensional code."""
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

images = (load_digits().images / 16.0).astype("float32")
images = images[np.random.default_rng(4).permutation(len(images))]
train, test = images[:1500], images[1500:]

keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Flatten(),
    layers.Dense(16, activation="tanh"),
    layers.Dense(2 * 2 * 8, activation="relu"),
    layers.Reshape((2, 2, 8)),
    layers.Conv2DTranspose(32, 2, strides=2, padding="valid", activation="relu"),
    layers.Conv2DTranspose(32, 2, strides=2, padding="valid", activation="relu"),
    layers.Conv2D(1, 1),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9), loss=keras.losses.MeanSquaredError())
history = model.fit(train[..., None], train[..., None], batch_size=50, epochs=15, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: mse {value:.5f}")
print(f"test mse {model.evaluate(test[..., None], test[..., None], batch_size=297, verbose=0):.5f}")
