import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

digits = load_digits()
X = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
order = np.random.default_rng(1).permutation(len(X))
X, y = X[order], y[order]
X_train, y_train = X[:1280], y[:1280]
X_test, y_test = X[1280:], y[1280:]

keras.utils.set_random_seed(4)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(10),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.0),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
model.fit(X_train, y_train, batch_size=32, epochs=12, shuffle=True, verbose=2,
          validation_data=(X_test, y_test))
