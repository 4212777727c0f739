import numpy as np
import keras
from keras import layers

SEED = 2
BATCH = 50
EPOCHS = 15

rng = np.random.default_rng(77)
X = rng.normal(size=(1800, 8)).astype("float32")
w = rng.normal(size=(8, 3)) / np.sqrt(8)
p = X @ w
y = (np.sin(2.0 * p[:, 0]) + p[:, 1] * p[:, 2] + 0.1 * rng.normal(size=1800)).astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:1500], y[:1500], X[1500:], y[1500:]

keras.utils.set_random_seed(SEED)

model = keras.Sequential([keras.Input((8,))])
for units in (96, 96, 96, 96):
    model.add(layers.Dense(units, activation="relu", kernel_initializer="he_normal",
                           bias_initializer="zeros"))
model.add(layers.Dense(1, kernel_initializer="he_normal", bias_initializer="zeros"))

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.005, momentum=0.9, nesterov=False),
              loss=keras.losses.MeanSquaredError())
history = model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: mse {loss:.4f}")
print(f"test mse {model.evaluate(X_test, y_test, verbose=0):.4f}")
