import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(34)


def load():
    digits = load_digits()
    images = (digits.images / 16.0).astype("float32") - 0.3
    labels = digits.target.astype("int64")
    order = np.random.default_rng(0).permutation(len(images))
    return images[order], labels[order]


images, labels = load()
images = images[..., None]

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="valid"),
    layers.LeakyReLU(),
    layers.Conv2D(16, 3, padding="valid"),
    layers.LeakyReLU(),
    layers.Flatten(),
    layers.Dense(32),
    layers.LeakyReLU(),
    layers.Dense(10),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(images[:1200], labels[:1200], batch_size=48, epochs=8, shuffle=True, verbose=2,
          validation_data=(images[1200:], labels[1200:]))
