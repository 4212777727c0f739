"""Denoising convolutional autoencoder on 8x8 digits, trained with fit()."""
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

N_TRAIN = 1500
BATCH = 40
EPOCHS = 8


def make_images():
    images = load_digits().images.astype("float32") / 16.0
    rng = np.random.default_rng(100)
    clean = images[rng.permutation(len(images))][..., None]
    noisy = (clean + 0.25 * rng.normal(size=clean.shape)).astype("float32")
    return (noisy[:N_TRAIN], clean[:N_TRAIN]), (noisy[N_TRAIN:], clean[N_TRAIN:])


def build_autoencoder():
    l2 = keras.regularizers.L2(1e-5)
    model = keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", activation="relu", kernel_regularizer=l2),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu", kernel_regularizer=l2),
        layers.Flatten(),
        layers.Dense(24, activation="linear", kernel_regularizer=l2, name="code"),
        layers.Dense(4 * 4 * 16, activation="relu", kernel_regularizer=l2),
        layers.Reshape((4, 4, 16)),
        layers.Conv2DTranspose(16, 2, strides=2, activation="relu", kernel_regularizer=l2),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid", kernel_regularizer=l2),
    ])
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=1e-3, rho=0.9, momentum=0.0,
                                           epsilon=1e-7, centered=False),
        loss="mean_squared_error",
        metrics=["mse"],
    )
    return model


def main():
    keras.utils.set_random_seed(55)
    (x_tr, y_tr), (x_te, y_te) = make_images()
    model = build_autoencoder()
    model.fit(x_tr, y_tr, batch_size=BATCH, epochs=EPOCHS, shuffle=True,
              validation_split=0.2, verbose=2)
    recon = model.predict(x_te, verbose=0)
    print(f"test reconstruction mse {np.mean((recon - y_te) ** 2):.5f}")


if __name__ == "__main__":
    main()
