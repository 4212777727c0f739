import numpy as np
import keras
from keras import layers

SEED = 31
BATCH = 40
EPOCHS = 12
DELTA = 0.2

rng = np.random.default_rng(88)
X = rng.normal(size=(1300, 8)).astype("float32")
y = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.3 * np.abs(X[:, 3]) - 0.4 * X[:, 4]
y = y + 0.1 * rng.normal(size=1300)
outlier = rng.random(1300) < 0.06
y[outlier] += rng.normal(0, 6, outlier.sum())
y = y.astype("float32")[:, None]
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

keras.utils.set_random_seed(SEED)

model = keras.Sequential([
    keras.Input((8,)),
    layers.Dense(48, activation="relu"),
    layers.Dense(24, activation="relu"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.005, momentum=0.9, nesterov=False),
    loss=keras.losses.Huber(delta=DELTA),
)
history = model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")
pred = model.predict(X_test, verbose=0)
print(f"test loss {model.evaluate(X_test, y_test, verbose=0):.4f} "
      f"median abs error {np.median(np.abs(pred - y_test)):.4f}")
