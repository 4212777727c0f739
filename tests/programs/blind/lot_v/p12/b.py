import numpy as np
import keras
from keras import layers


def make_data(seed=200, n=2600):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6))
    score = np.where(x[:, 0] + 0.5 * x[:, 1] > -0.5, 0.45, -2.0)
    y = (score + rng.logistic(size=n) > 0).astype(np.float32)
    return x.astype(np.float32), y[:, None]


keras.utils.set_random_seed(9)
x, y = make_data()
x_train, y_train, x_test, y_test = x[:2000], y[:2000], x[2000:], y[2000:]

net = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(24, activation="relu", kernel_initializer="he_uniform", bias_initializer="zeros"),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
net.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9, nesterov=True),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
h = net.fit(x_train, y_train, batch_size=40, epochs=8, shuffle=True, verbose=0).history
for epoch in range(8):
    print(f"epoch {epoch + 1:2d}  loss {h['loss'][epoch]:.4f}  accuracy {h['accuracy'][epoch]:.4f}")
loss, accuracy = net.evaluate(x_test, y_test, batch_size=600, verbose=0)
print(f"test  loss {loss:.4f}  accuracy {accuracy:.4f}")
