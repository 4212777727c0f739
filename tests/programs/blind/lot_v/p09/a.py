import numpy as np
import keras
from sklearn.datasets import load_diabetes

keras.utils.set_random_seed(31)

X, y = load_diabetes(return_X_y=True, scaled=False)
p = np.random.default_rng(1).permutation(len(y))
X, y = X[p], y[p]
mu, sd = X[:360].mean(axis=0), X[:360].std(axis=0)
X = ((X - mu) / sd).astype(np.float32)
y = (y / 10.0).astype(np.float32)[:, None]

he = dict(kernel_initializer="he_uniform", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input((10,)),
    keras.layers.Dense(32, activation="relu", **he),
    keras.layers.Dense(16, activation="relu", **he),
    keras.layers.Dense(1, **he),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.005, momentum=0.9, clipnorm=1.0),
    loss=keras.losses.MeanSquaredError(),
)
history = model.fit(X[:360], y[:360], batch_size=36, epochs=25, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"], 1):
    if epoch % 5 == 0 or epoch == 1:
        print(f"epoch {epoch:2d} mse {loss:.3f}")
print(f"test mse {model.evaluate(X[360:], y[360:], batch_size=128, verbose=0):.3f}")
