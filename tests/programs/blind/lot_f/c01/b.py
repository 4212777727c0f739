"""Small convnet on the 8x8 digits, Keras."""
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(42)

digits = load_digits()
images = (digits.images / 16.0).astype(np.float32)
labels = digits.target.astype(np.int64)
order = np.random.RandomState(0).permutation(len(images))
images, labels = images[order], labels[order]
x_train, y_train = images[:1437, ..., None], labels[:1437]
x_test, y_test = images[1437:, ..., None], labels[1437:]

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(8, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(32, activation="relu"),
    layers.Dense(10),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(x_train, y_train, batch_size=64, epochs=12, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"], 1):
    print(f"epoch {epoch} loss {value:.4f}")
loss, accuracy = model.evaluate(x_test, y_test, batch_size=64, verbose=0)
print(f"test loss {loss:.4f} accuracy {accuracy:.4f}")
