"""Small CNN on the 8x8 digits; Keras accumulates the gradients of two micro-batches."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

MICRO, ACCUM, EPOCHS = 32, 2, 14

d = load_digits()
perm = np.random.default_rng(42).permutation(len(d.target))
images = (d.images[perm] / 16.0).astype("float32")[..., None]
labels = d.target[perm].astype("int64")
x_train, y_train = images[:1280], labels[:1280]
x_test, y_test = images[1280:], labels[1280:]

keras.utils.set_random_seed(21)
init = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", activation="relu", **init),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu", **init),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, **init),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(
        learning_rate=0.1, momentum=0.9, nesterov=True, gradient_accumulation_steps=ACCUM
    ),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# training
model.fit(x_train, y_train, batch_size=MICRO, epochs=EPOCHS, shuffle=True, verbose=2)

loss, acc = model.evaluate(x_test, y_test, batch_size=128, verbose=0)
print(f"test loss {loss:.4f} accuracy {acc:.4f}")
