"""Denoising autoencoder on the 8x8 digits; Keras fit with accumulated gradients."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(6)

images = (load_digits().data / 16.0).astype("float32")
images = images[np.random.default_rng(5).permutation(len(images))]
x_train, x_test = images[:1536], images[1536:]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dropout(0.25),
    layers.Dense(48, activation="relu", kernel_initializer="he_uniform"),
    layers.Dense(12, activation="tanh"),
    layers.Dense(48, activation="relu", kernel_initializer="he_uniform"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(
    optimizer=keras.optimizers.Adagrad(
        learning_rate=0.1, initial_accumulator_value=0.001, epsilon=1e-7, gradient_accumulation_steps=3
    ),
    loss="binary_crossentropy",
)
history = model.fit(x_train, x_train, batch_size=32, epochs=12, shuffle=True, verbose=0)
for i, value in enumerate(history.history["loss"], 1):
    print(f"epoch {i:2d} bce {value:.4f}")

rebuilt = model.predict(x_test, batch_size=64, verbose=0)
print(f"test bce {model.evaluate(x_test, x_test, batch_size=64, verbose=0):.4f} "
      f"mse {np.mean((rebuilt - x_test) ** 2):.5f}")
