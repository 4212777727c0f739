"""Transfer learning: a base learnt on digits 0-4, frozen, a new head for 5-9. Keras fit."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(4)

# data
x, y = load_digits(return_X_y=True)
x = (x / 16.0).astype("float32").reshape(-1, 8, 8, 1)
order = np.random.RandomState(12).permutation(len(x))
x, y = x[order], y[order]
source_x, source_y = x[y < 5], y[y < 5]
target_x, target_y = x[y >= 5], y[y >= 5] - 5
target_x_test, target_y_test = target_x[600:], target_y[600:]
target_x, target_y = target_x[:600], target_y[:600]

base = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", use_bias=False),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
    layers.ReLU(),
    layers.MaxPooling2D(2),
    layers.Conv2D(24, 3, padding="same", use_bias=False),
    layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
    layers.ReLU(),
    layers.GlobalAveragePooling2D(),
], name="base")

# stage one: the source task
source_model = keras.Sequential([base, layers.Dense(5)])
source_model.compile(
    optimizer=keras.optimizers.Adam(3e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-7),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"])
source_model.fit(source_x, source_y, batch_size=32, epochs=8, shuffle=True, verbose=2)

# stage two: freeze, new head
base.trainable = False
inputs = keras.Input((8, 8, 1))
h = base(inputs, training=False)
h = layers.Dense(32, activation="relu")(h)
h = layers.Dropout(0.2)(h)
outputs = layers.Dense(5)(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
model.fit(target_x, target_y, batch_size=32, epochs=12, shuffle=True,
          validation_data=(target_x_test, target_y_test), verbose=2)
