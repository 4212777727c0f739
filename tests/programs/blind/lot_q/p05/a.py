"""A committee of small networks whose outputs are averaged, trained together. Keras."""
import keras
import numpy as np
from keras import layers

MEMBERS, WIDTH = 5, 5


def surface():
    rng = np.random.RandomState(60)
    x = rng.uniform(-1, 1, size=(1200, 2))
    y = np.sin(3.5 * x[:, 0]) * np.cos(2.5 * x[:, 1]) + 0.5 * x[:, 0] * x[:, 1]
    y = y / 0.5 + 0.05 * rng.randn(1200)
    return (x * 1.7).astype("float32"), y.astype("float32")[:, None]


x, y = surface()
x_train, y_train, x_test, y_test = x[:900], y[:900], x[900:], y[900:]

keras.utils.set_random_seed(14)
init = keras.initializers.GlorotUniform()


def member(h):
    h = layers.Dense(WIDTH, activation="tanh", kernel_initializer=init, bias_initializer="zeros")(h)
    h = layers.Dense(WIDTH, activation="tanh", kernel_initializer=init, bias_initializer="zeros")(h)
    return layers.Dense(1, kernel_initializer=init, bias_initializer="zeros")(h)


inputs = keras.Input((2,))
outputs = layers.Average()([member(inputs) for _ in range(MEMBERS)])
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.15, momentum=0.9), loss="mse")
log = model.fit(x_train, y_train, batch_size=50, epochs=30, shuffle=True, verbose=0)
print("train mse", [round(v, 4) for v in log.history["loss"]])
print("test mse", round(model.evaluate(x_test, y_test, verbose=0), 4))
