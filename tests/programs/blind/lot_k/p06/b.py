import keras
import numpy as np
from keras import layers

rng = np.random.RandomState(31)


def surface(n):
    x = rng.uniform(-1, 1, (n, 2))
    y = np.sin(4 * x[:, 0]) * np.cos(3 * x[:, 1]) + 0.5 * x[:, 0] * x[:, 1]
    return x.astype("float32"), (y + rng.normal(0, 0.05, n))[:, None].astype("float32")


x_train, y_train = surface(600)
x_test, y_test = surface(300)

TOWERS, WIDTH = 5, 6
keras.utils.set_random_seed(2)
init = keras.initializers.GlorotUniform(seed=2)


def tower(x):
    x = layers.Dense(WIDTH, activation="tanh", kernel_initializer=init, bias_initializer="zeros")(x)
    x = layers.Dense(WIDTH, activation="tanh", kernel_initializer=init, bias_initializer="zeros")(x)
    return layers.Dense(1, kernel_initializer=init, bias_initializer="zeros")(x)


inputs = keras.Input((2,))
outputs = layers.Average()([tower(inputs) for _ in range(TOWERS)])
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.01, beta_1=0.9, beta_2=0.999, epsilon=1e-12), loss="mse")

history = model.fit(x_train, y_train, batch_size=50, epochs=40, shuffle=True, verbose=0).history
for epoch in range(7, 40, 8):
    print("epoch", epoch + 1, "mse", round(history["loss"][epoch], 5))

print("test mse", round(model.evaluate(x_test, y_test, batch_size=300, verbose=0), 5))
