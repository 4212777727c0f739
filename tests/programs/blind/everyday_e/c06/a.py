"""Denoising autoencoder for handwritten digits (Keras)."""
import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(8)

rng = np.random.default_rng(8)
clean = (load_digits().images / 16.0)[rng.permutation(1797)]
noisy = clean + rng.normal(0.0, 0.3, clean.shape)
clean = clean.astype("float32")[..., None]
noisy = noisy.astype("float32")[..., None]
x_train, y_train = noisy[:1500], clean[:1500]
x_test, y_test = noisy[1500:], clean[1500:]

EPOCHS = 12
BATCH_SIZE = 50
L2 = 2e-5


def conv(filters, strides=1, activation="elu"):
    return layers.Conv2D(
        filters,
        3,
        strides=strides,
        padding="same",
        activation=activation,
        kernel_regularizer=regularizers.L2(L2),
    )


encoder = keras.Sequential(
    [keras.Input((8, 8, 1)), conv(16, strides=2), conv(12, strides=2)], name="encoder"
)
decoder = keras.Sequential(
    [
        keras.Input((2, 2, 12)),
        layers.UpSampling2D(2, interpolation="nearest"),
        conv(16),
        layers.UpSampling2D(2, interpolation="nearest"),
        conv(1, activation=None),
    ],
    name="decoder",
)
inputs = keras.Input((8, 8, 1))
autoencoder = keras.Model(inputs, decoder(encoder(inputs)))

steps = EPOCHS * len(x_train) // BATCH_SIZE
autoencoder.compile(
    optimizer=keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(5e-3, decay_steps=steps), epsilon=1e-12
    ),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
autoencoder.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)

logits = autoencoder.predict(x_test, verbose=0)
restored = 1.0 / (1.0 + np.exp(-logits))
bce = float(keras.losses.BinaryCrossentropy(from_logits=True)(y_test, logits))
mse = float(np.mean((restored - y_test) ** 2))
print(f"test bce {bce:.4f}  mse {mse:.5f}  (noisy input mse {np.mean((x_test - y_test) ** 2):.5f})")
