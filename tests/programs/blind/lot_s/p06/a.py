import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(100)


def load():
    data = load_breast_cancer()
    X = data.data
    order = np.random.default_rng(4).permutation(len(X))
    X, y = X[order], data.target[order]
    X = (X - X[:450].mean(0)) / X[:450].std(0)
    return X.astype("float32"), y.astype("float32")[:, None]


X, y = load()

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(20, activation="relu"),
    layers.Dense(10, activation="relu"),
    layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3, epsilon=1e-12),
    loss=keras.losses.BinaryCrossentropy(),
)
model.fit(X[:450], y[:450], batch_size=25, epochs=15, shuffle=True, verbose=2,
          validation_data=(X[450:], y[450:]))
logits = model.predict(X[450:], verbose=0)
print("accuracy", np.mean((logits > 0) == (y[450:] > 0.5)))
