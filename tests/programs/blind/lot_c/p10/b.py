import numpy as np
import keras
from keras import layers


def waves():
    rng = np.random.default_rng(1010)
    t = np.arange(16)
    f = rng.uniform(0.15, 0.9, size=(900, 1))
    ph = rng.uniform(0, 2 * np.pi, size=(900, 1))
    a = rng.uniform(0.5, 1.5, size=(900, 1))
    s = a * np.sin(f * t + ph) + 0.05 * rng.normal(size=(900, 16))
    x = np.stack([s, np.roll(s, 1, axis=1) * (t > 0)], axis=-1).astype("float32")
    nxt = (a * np.sin(f * 16 + ph)).astype("float32")
    return x[:720], nxt[:720], x[720:], nxt[720:]


x, y, xv, yv = waves()
keras.utils.set_random_seed(66)
net = keras.Sequential([
    keras.Input((16, 2)),
    layers.SimpleRNN(24, activation="tanh", use_bias=False,
                     kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal"),
    layers.Dense(1, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
net.compile(optimizer=keras.optimizers.SGD(0.01, momentum=0.9), loss=keras.losses.MeanSquaredError())
hist = net.fit(x, y, batch_size=36, epochs=15, shuffle=True, verbose=0)
for epoch, v in enumerate(hist.history["loss"]):
    print("epoch %d mse %.5f" % (epoch, v))
print("validation mse %.5f" % net.evaluate(xv, yv, verbose=0))
