import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits


def load():
    big = (load_digits().images / 16.0).astype("float32")
    big = big[np.random.default_rng(66).permutation(len(big))]
    small = big.reshape(-1, 4, 2, 4, 2).mean((2, 4))
    return small[:1400], big[:1400], small[1400:], big[1400:]


def build():
    inp = keras.Input((4, 4, 1))
    base = layers.UpSampling2D(2, interpolation="bilinear")(inp)
    h = layers.Conv2D(16, 3, padding="same", activation="relu")(base)
    h = layers.Conv2D(1, 3, padding="same")(h)
    return keras.Model(inp, layers.Add()([base, h]))


def main():
    keras.utils.set_random_seed(4)
    small, big, small_t, big_t = [v[..., None] for v in load()]
    model = build()
    model.compile(optimizer=keras.optimizers.Adam(2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12), loss="mse")
    model.fit(small, big, batch_size=50, epochs=10, verbose=0)
    print("train mse %.5f" % model.evaluate(small, big, batch_size=700, verbose=0))
    print("test mse %.5f" % model.evaluate(small_t, big_t, batch_size=397, verbose=0))


if __name__ == "__main__":
    main()
