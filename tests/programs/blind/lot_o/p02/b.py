import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

digits = load_digits()
images = (digits.images / 16.0).astype("float32")
labels = digits.target.astype("int64")
perm = np.random.default_rng(0).permutation(len(images))
images, labels = images[perm], labels[perm]
x_train, y_train = images[:1280], labels[:1280]
x_test, y_test = images[1280:], labels[1280:]

keras.utils.set_random_seed(21)


def separable(x, filters):
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    return layers.Conv2D(filters, 1, activation="relu")(x)


inputs = keras.Input((8, 8, 1))
x = layers.Conv2D(24, 3, padding="same", activation="relu")(inputs)
x = separable(x, 32)
x = layers.MaxPooling2D(2)(x)
x = separable(x, 48)
x = layers.Flatten()(x)
outputs = layers.Dense(10)(x)
model = keras.Model(inputs, outputs)

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(x_train[..., None], y_train, batch_size=64, epochs=15, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1} loss {loss:.4f}")

test_loss = model.evaluate(x_test[..., None], y_test, batch_size=256, verbose=0)
logits = model.predict(x_test[..., None], verbose=0)
accuracy = (logits.argmax(1) == y_test).mean()
print(f"test loss {test_loss:.4f} accuracy {accuracy:.4f}")
