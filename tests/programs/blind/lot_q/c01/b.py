"""Small convolutional classifier on the 8x8 digits (Keras)."""
import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(5)

digits = load_digits()
order = np.random.RandomState(0).permutation(len(digits.target))
images = ((digits.images[order] - 4.9) / 6.0).astype("float32")
labels = digits.target[order].astype("int64")
x_train, y_train = images[:1200], labels[:1200]
x_test, y_test = images[1200:], labels[1200:]

L2 = 5e-4


def conv(filters):
    return layers.Conv2D(filters, 3, padding="same", activation="relu",
                         kernel_initializer="glorot_uniform", bias_initializer="zeros",
                         kernel_regularizer=regularizers.L2(L2))


model = keras.Sequential([
    layers.Input((8, 8, 1)),
    conv(16),
    layers.MaxPooling2D(2),
    conv(32),
    layers.GlobalAveragePooling2D(),
    layers.Dense(10, kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 kernel_regularizer=regularizers.L2(L2)),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(x_train[..., None], y_train, batch_size=64, epochs=14, shuffle=True, verbose=0)
for i, value in enumerate(history.history["loss"]):
    print(f"epoch {i + 1:2d}  loss {value:.4f}")

logits = model.predict(x_test[..., None], batch_size=256, verbose=0)
ce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y_test, logits)
print(f"test cross-entropy {float(ce):.4f}  accuracy {(logits.argmax(1) == y_test).mean():.4f}")
