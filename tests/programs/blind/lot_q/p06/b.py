import numpy as np
import keras
from sklearn.datasets import load_diabetes

EPOCHS, BATCH = 60, 34
LR, DECAY = 0.12, 0.05

data = load_diabetes()
perm = np.random.RandomState(0).permutation(len(data.target))
x = (data.data[perm] / 0.0476).astype(np.float32)
y = ((data.target[perm] - 152.0) / 77.0).astype(np.float32)[:, None]
x_train, y_train = x[:340], y[:340]
x_test, y_test = x[340:], y[340:]

keras.utils.set_random_seed(123)
kw = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
net = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(40, activation="tanh", **kw),
    keras.layers.Dense(20, activation="tanh", **kw),
    keras.layers.Dense(1, **kw),
])
net.compile(optimizer=keras.optimizers.SGD(learning_rate=LR, momentum=0.0, decay=DECAY), loss="mse")
history = net.fit(x_train, y_train, epochs=EPOCHS, batch_size=BATCH, shuffle=True, verbose=0)
for epoch in range(9, EPOCHS, 10):
    print(f"{epoch + 1:3d} train mse {history.history['loss'][epoch]:.4f}")

print(f"train mse {net.evaluate(x_train, y_train, verbose=0):.4f}")
print(f"test mse {net.evaluate(x_test, y_test, verbose=0):.4f}")
