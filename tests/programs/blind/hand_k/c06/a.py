"""Denoising autoencoder on digits, Keras fit; four small batches per update through the optimizer."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits


def make_data():
    images = load_digits().data.astype(np.float32) / 16.0
    rng = np.random.default_rng(9)
    images = images[rng.permutation(len(images))]
    noisy = images + rng.normal(scale=0.25, size=images.shape).astype(np.float32)
    return noisy[:1536], images[:1536], noisy[1536:], images[1536:]


keras.utils.set_random_seed(17)
x_train, y_train, x_test, y_test = make_data()

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(48, activation="selu", kernel_initializer="lecun_normal"),
    layers.Dense(12, activation="linear", kernel_initializer="glorot_uniform"),
    layers.Dense(48, activation="selu", kernel_initializer="lecun_normal"),
    layers.Dense(64, kernel_initializer="glorot_uniform"),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=4e-3, beta_1=0.9, beta_2=0.99, epsilon=1e-7,
                                    gradient_accumulation_steps=4),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
history = model.fit(x_train, y_train, batch_size=64, epochs=25, shuffle=True, verbose=0)
for epoch in range(0, 25, 4):
    print(f"epoch {epoch + 1:2d} loss {history.history['loss'][epoch]:.5f}")
print(f"test loss {model.evaluate(x_test, y_test, batch_size=64, verbose=0):.5f}")
