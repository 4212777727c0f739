import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(7)

images, labels = load_digits(return_X_y=True)
images = (images.reshape(-1, 8, 8) / 16.0).astype("float32")
images = images - 0.3
order = np.random.default_rng(5).permutation(len(images))
images, labels = images[order], labels[order].astype("int64")
n_train = 1280
x_train, y_train = images[:n_train, :, :, None], labels[:n_train]
x_test, y_test = images[n_train:, :, :, None], labels[n_train:]


def conv(filters):
    return layers.Conv2D(filters, 3, padding="same", activation="relu")


model = keras.Sequential([
    keras.Input((8, 8, 1)),
    conv(12),
    conv(12),
    layers.MaxPooling2D(2),
    conv(24),
    conv(24),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(32, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
hist = model.fit(x_train, y_train, batch_size=64, epochs=9, shuffle=True, verbose=0)
for e, value in enumerate(hist.history["loss"], 1):
    print(f"[{e}] train loss {value:.4f}")

logits = model.predict(x_test, verbose=0)
test_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y_test, logits)
print(f"params {model.count_params()}")
print(f"test loss {float(test_loss):.4f} accuracy {np.mean(logits.argmax(1) == y_test):.4f}")
