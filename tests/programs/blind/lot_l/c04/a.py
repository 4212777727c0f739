import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

digits = load_digits()
order = np.random.RandomState(3).permutation(len(digits.images))
images = (digits.images[order] / 16.0).astype("float32")[..., None]
labels = digits.target[order]
x_train, y_train = images[:1300], labels[:1300]
x_test, y_test = images[1300:], labels[1300:]

L2 = 5e-4


def build():
    reg = lambda: regularizers.L2(L2)
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", use_bias=False, kernel_regularizer=reg()),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", use_bias=False, kernel_regularizer=reg()),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(10, kernel_regularizer=reg()),
    ])


keras.utils.set_random_seed(10)
model = build()

# training
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(x_train, y_train, batch_size=48, epochs=6, shuffle=True, verbose=0)
for e, v in enumerate(history.history["loss"]):
    print(f"epoch {e + 1} loss {v:.4f}")
loss, acc = model.evaluate(x_test, y_test, batch_size=497, verbose=0)
print(f"test loss {loss:.4f} acc {acc:.4f}")
