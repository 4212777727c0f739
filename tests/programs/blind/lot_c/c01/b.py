import numpy as np
import keras
from keras import layers


def make_data():
    rng = np.random.default_rng(11)
    n = 1150
    x = rng.normal(size=(n, 10)).astype("float32")
    a = x[:, 0] * x[:, 1] + 0.6 * x[:, 2]
    b = x[:, 3] - 0.5 * x[:, 4] ** 2 + 0.3
    c = 0.8 * x[:, 5] * x[:, 6]
    y = np.argmax(np.stack([a, b, c], 1) + 0.2 * rng.normal(size=(n, 3)), 1)
    return x[:900], y[:900], x[900:], y[900:]


xtr, ytr, xte, yte = make_data()
keras.utils.set_random_seed(21)

model = keras.Sequential([
    keras.Input((10,)),
    layers.Dense(40, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(20, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
hist = model.fit(xtr, ytr, batch_size=50, epochs=15, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print(f"epoch {i + 1} loss {v:.4f}")

loss, acc = model.evaluate(xte, yte, batch_size=250, verbose=0)
print("test loss %.4f" % loss)
print("test accuracy %.4f" % acc)
