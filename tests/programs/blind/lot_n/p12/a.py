import numpy as np
import keras
from keras import layers

SEED = 19
BATCH = 50
EPOCHS = 12

rng = np.random.default_rng(1234)
Z = rng.normal(size=(1300, 12))
y = (np.sin(1.5 * Z[:, 0]) + Z[:, 1] * Z[:, 2] > 0.3 * Z[:, 3]).astype("float32")[:, None]
X = (0.006 * Z + 0.3).astype("float32")
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]

keras.utils.set_random_seed(SEED)

model = keras.Sequential([
    keras.Input((12,)),
    layers.BatchNormalization(momentum=0.9),
    layers.Dense(48, activation="relu"),
    layers.Dense(24, activation="relu"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=False),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
history = model.fit(X_train, y_train, batch_size=BATCH, epochs=EPOCHS, shuffle=True, verbose=0)
for epoch, loss in enumerate(history.history["loss"]):
    print(f"epoch {epoch + 1}: loss {loss:.4f}")
logits = model.predict(X_test, verbose=0)
print(f"test loss {model.evaluate(X_test, y_test, verbose=0):.4f} "
      f"accuracy {((logits > 0) == (y_test > 0.5)).mean():.4f}")
