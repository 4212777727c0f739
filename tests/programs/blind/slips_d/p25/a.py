import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits


def load():
    imgs = (load_digits().images / 16.0).astype("float32")
    imgs = imgs[np.random.default_rng(6).permutation(len(imgs))]
    return imgs[:1500], imgs[1500:]


def build():
    inp = keras.Input((8, 8, 1))
    h = layers.Conv2D(12, 3, padding="same", activation="relu")(inp)
    h = layers.MaxPooling2D(2)(h)
    h = layers.Conv2D(4, 3, padding="same", activation="tanh")(h)
    h = layers.UpSampling2D(2)(h)
    h = layers.Conv2D(12, 3, padding="same", activation="relu")(h)
    out = layers.Conv2D(1, 3, padding="same")(h)
    return keras.Model(inp, out)


def main():
    keras.utils.set_random_seed(2024)
    train, test = load()
    train, test = train[..., None], test[..., None]
    ae = build()
    ae.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate=1e-3, rho=0.9, momentum=0.0, epsilon=1e-16, centered=False),
        loss=keras.losses.MeanSquaredError(),
    )
    ae.fit(train, train, batch_size=50, epochs=12, verbose=0)
    print("train mse", round(ae.evaluate(train, train, batch_size=500, verbose=0), 5))
    print("test mse", round(ae.evaluate(test, test, batch_size=500, verbose=0), 5))


if __name__ == "__main__":
    main()
