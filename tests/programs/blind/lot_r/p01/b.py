import keras
import numpy as np
from keras import initializers, layers
from sklearn.datasets import load_digits

digits = load_digits()
perm = np.random.default_rng(31).permutation(len(digits.target))
x = (digits.images[perm] / 16.0).astype("float32")
y = digits.target[perm].astype("int64")
x = (x - x[:1280].mean()) / x[:1280].std()
x_train, y_train, x_test, y_test = x[:1280], y[:1280], x[1280:], y[1280:]

keras.utils.set_random_seed(1)


def uniform(fan_in):
    bound = fan_in ** -0.5
    return initializers.RandomUniform(-bound, bound)


net = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(8, 3, padding="same", activation="relu"),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(10, kernel_initializer=uniform(16), bias_initializer=uniform(16)),
])
net.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
log = net.fit(x_train[..., None], y_train, batch_size=64, epochs=15, shuffle=True, verbose=0)
for epoch, value in enumerate(log.history["loss"]):
    print(f"{epoch + 1:3d} {value:.4f}")
loss, acc = net.evaluate(x_test[..., None], y_test, verbose=0)
print(f"test {loss:.4f} acc {acc:.4f}")
