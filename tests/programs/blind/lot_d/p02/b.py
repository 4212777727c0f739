import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)


def stripes(n, seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, n)
    angle = kind * np.pi / 4 + rng.normal(0, 0.12, n)
    freq = rng.uniform(0.7, 1.1, n)
    phase = rng.uniform(0, 2 * np.pi, n)
    yy, xx = np.mgrid[0:17, 0:17]
    arg = (np.cos(angle)[:, None, None] * xx + np.sin(angle)[:, None, None] * yy)
    img = np.sin(freq[:, None, None] * arg + phase[:, None, None]) + rng.normal(0, 0.5, (n, 17, 17))
    return img.astype("float32"), kind.astype("int64")


x_train, y_train = stripes(1000, 3)
x_test, y_test = stripes(300, 4)
x_train, x_test = x_train[..., None], x_test[..., None]

model = keras.Sequential([keras.Input((17, 17, 1))])
for filters in (8, 12, 16):
    model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
    model.add(layers.AveragePooling2D(3, strides=2, padding="same"))
model.add(layers.Flatten())
model.add(layers.Dense(4))

model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
hist = model.fit(x_train, y_train, batch_size=40, epochs=8, shuffle=True, verbose=0)
for epoch, loss in enumerate(hist.history["loss"]):
    print("epoch", epoch + 1, "loss", round(loss, 4))

print("test loss %.4f" % model.evaluate(x_test, y_test, verbose=0))
print("test accuracy %.4f" % np.mean(model.predict(x_test, verbose=0).argmax(1) == y_test))
