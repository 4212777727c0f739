"""Digits 8x8, convnet, Keras."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(4)

digits = load_digits()
order = np.random.default_rng(2024).permutation(len(digits.target))
images = (digits.images[order] / 16.0).astype("float32")[..., None]
labels = digits.target[order].astype("int64")
x_train, y_train = images[:1500], labels[:1500]
x_test, y_test = images[1500:], labels[1500:]

model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(10),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)


def halve_every_five(epoch, lr):
    return 2e-3 * 0.5 ** (epoch // 5)


model.fit(
    x_train,
    y_train,
    batch_size=64,
    epochs=15,
    shuffle=True,
    callbacks=[keras.callbacks.LearningRateScheduler(halve_every_five)],
    verbose=2,
)
loss, acc = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f}  accuracy {acc:.4f}")
