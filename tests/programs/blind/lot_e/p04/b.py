import numpy as np
import keras
from keras import layers

rng = np.random.RandomState(23)
n = 1200
x = rng.uniform(-2, 2, (n, 2)).astype("float32")
target = (np.sin(2 * x[:, 0]) * np.cos(1.5 * x[:, 1]) + 0.3 * x[:, 0] * x[:, 1]
          + 0.05 * rng.randn(n)).astype("float32")[:, None]
x_train, t_train, x_test, t_test = x[:960], target[:960], x[960:], target[960:]

init = keras.initializers.GlorotUniform(seed=12)
inputs = keras.Input((2,))
members = []
for _ in range(6):
    h = layers.Dense(6, activation="tanh", kernel_initializer=init)(inputs)
    members.append(layers.Dense(1, kernel_initializer=init)(h))
net = keras.Model(inputs, layers.Average()(members))

net.compile(optimizer=keras.optimizers.Adam(learning_rate=0.02, epsilon=1e-12), loss="mse")
hist = net.fit(x_train, t_train, batch_size=32, epochs=15, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print(i, v)
e = net.predict(x_test, verbose=0) - t_test
print("test rmse", float(np.sqrt((e ** 2).mean())))
