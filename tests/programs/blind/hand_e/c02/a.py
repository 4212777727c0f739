"""Handwritten digits, small convnet with label smoothing (Keras fit)."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(11)
SMOOTH = 0.1

data = load_digits()
images = (data.images / 16.0).astype("float32")
labels = data.target.astype("int64")
perm = np.random.default_rng(7).permutation(len(images))
images, labels = images[perm], labels[perm]
x_train, y_train = images[:1400, :, :, None], labels[:1400]
x_test, y_test = images[1400:, :, :, None], labels[1400:]

model = keras.Sequential([
    layers.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.MaxPooling2D(2),
    layers.Conv2D(24, 3, padding="valid", activation="relu",
                  kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Flatten(),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
    loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTH),
    metrics=["accuracy"],
)
model.fit(x_train, keras.utils.to_categorical(y_train, 10), batch_size=64, epochs=12,
          shuffle=True, verbose=2)
loss, acc = model.evaluate(x_test, keras.utils.to_categorical(y_test, 10), verbose=0)
print(f"test loss {loss:.4f}  accuracy {acc:.4f}")
