import numpy as np
import keras
from keras import layers

r = np.random.RandomState(707)
X = r.uniform(-1.5, 1.5, (1000, 6)).astype("float32")
Y = (np.sin(2 * X[:, 0]) * X[:, 1] + np.cos(X[:, 2] + X[:, 3]) + 0.3 * X[:, 4])[:, None]
Y = (Y + 0.05 * r.randn(1000, 1)).astype("float32")
Xt, Yt, Xv, Yv = X[:800], Y[:800], X[800:], Y[800:]

EPOCHS, BATCH = 18, 40
keras.utils.set_random_seed(8)
net = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(32, activation="tanh"),
    layers.Dense(32, activation="tanh"),
    layers.Dense(1),
])


def rate(epoch, lr=None):
    return 1e-3 if epoch % 3 == 0 else 1e-5


net.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=rate(0), rho=0.9, epsilon=1e-16, momentum=0.9, centered=False),
    loss=keras.losses.MeanSquaredError(),
)
hist = net.fit(Xt, Yt, batch_size=BATCH, epochs=EPOCHS, verbose=0,
               callbacks=[keras.callbacks.LearningRateScheduler(rate)])
for epoch, v in enumerate(hist.history["loss"]):
    print(f"{epoch:2d} {v:.5f}")
print(f"valid {net.evaluate(Xv, Yv, verbose=0):.5f}")
