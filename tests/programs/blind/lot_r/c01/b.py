"""Digits, small convolutional network, Keras."""
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

SEED = 21
EPOCHS = 12
BATCH = 50

digits = load_digits()
order = np.random.default_rng(11).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype("float32")
labels = digits.target[order].astype("int64")
x_train, y_train = images[:1400, :, :, None], labels[:1400]
x_test, y_test = images[1400:, :, :, None], labels[1400:]

keras.utils.set_random_seed(SEED)

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(12, 3, padding="same", activation="relu"),
    layers.Conv2D(24, 3, padding="valid", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(48, activation="relu"),
    layers.Dense(10),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1:2d}  loss {value:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=len(x_test), verbose=0)
print(f"test loss {loss:.4f}  accuracy {acc:.4f}")
