"""Autoencoder for 8x8 digits."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

pixels = (load_digits().data / 16.0).astype("float32")
pixels = pixels[np.random.RandomState(0).permutation(len(pixels))]
train, test = pixels[:1500], pixels[1500:]

keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(40, activation="tanh"),
    layers.Dense(10),
    layers.Dense(40, activation="tanh"),
    layers.Dense(64, activation="sigmoid"),
])

# training
model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=0.001), loss="mse")
history = model.fit(train, train, batch_size=50, epochs=10, shuffle=True, verbose=0)
for i, v in enumerate(history.history["loss"]):
    print(f"epoch {i + 1:2d}  mse {v:.5f}")
print(f"test mse {model.evaluate(test, test, batch_size=300, verbose=0):.5f}")
