"""The functional interface, RMSprop, cross entropy, a validation set, a normalization layer."""

import sys

import keras
import numpy as np

keras.utils.set_random_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
rng = np.random.default_rng(1)
x = rng.normal(size=(300, 6)).astype("float32")
labels = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0.5)
inputs = keras.Input((6,))
hidden = keras.layers.Dense(20, activation="relu", kernel_initializer="he_uniform")(inputs)
hidden = keras.layers.BatchNormalization(momentum=0.9)(hidden)
model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(hidden))
model.compile(keras.optimizers.RMSprop(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, labels, batch_size=32, epochs=3, validation_split=0.2, verbose=0)
print("done")
