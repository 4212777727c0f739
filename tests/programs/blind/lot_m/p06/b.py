import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(17)
X = rng.uniform(-1, 1, size=(1500, 5)).astype("float32")
y = np.sin(3 * X[:, :1]) + X[:, 1:2] * X[:, 2:3] - 0.5 * X[:, 3:4] ** 2
y = (y + 0.1 * rng.normal(size=y.shape)).astype("float32")
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]

epochs, batch = 20, 60
lr, decay = 0.3, 0.03

keras.utils.set_random_seed(4)
model = keras.Sequential([
    keras.Input((5,)),
    layers.Dense(40, activation="tanh", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=lr, momentum=0.0, decay=decay), loss="mse")
history = model.fit(Xtr, ytr, epochs=epochs, batch_size=batch, shuffle=True, verbose=0)
for epoch, value in enumerate(history.history["loss"]):
    print(f"{epoch + 1:3d} {value:.5f}")
print("test mse", model.evaluate(Xte, yte, batch_size=300, verbose=0))
