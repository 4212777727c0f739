"""A small convolutional network on the 8x8 digits, Keras."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(5)

# data: the same split everywhere
images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype("float32").reshape(-1, 8, 8)
labels = labels.astype("int64")
order = np.random.RandomState(0).permutation(len(images))
train_idx, test_idx = order[:1400], order[1400:]
x_train, y_train = images[train_idx][..., None], labels[train_idx]
x_test, y_test = images[test_idx][..., None], labels[test_idx]

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.MaxPooling2D(2),
    layers.Conv2D(32, 3, padding="same", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dropout(0.25),
    layers.Dense(64, activation="relu",
                 kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# training
model.fit(x_train, y_train, epochs=12, shuffle=True,
          validation_data=(x_test, y_test), verbose=2)
