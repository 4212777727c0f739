import keras
import numpy as np
from sklearn.datasets import load_breast_cancer

bunch = load_breast_cancer()
perm = np.random.RandomState(3).permutation(569)
X, y = bunch.data[perm], bunch.target[perm].astype("float32")[:, None]
X = ((X - X[:400].mean(0)) / X[:400].std(0)).astype("float32")
x_train, y_train, x_test, y_test = X[:400], y[:400], X[400:], y[400:]

keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(24, activation="relu"),
    keras.layers.Dense(12, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.002, epsilon=1e-12),
    loss="binary_crossentropy",
)
hist = model.fit(x_train, y_train, batch_size=40, epochs=25, shuffle=True, verbose=0)
for e, v in enumerate(hist.history["loss"], 1):
    if e % 5 == 0:
        print(f"epoch {e}: loss {v:.4f}")
for name, x, t in (("train", x_train, y_train), ("test", x_test, y_test)):
    z = model.predict(x, verbose=0)
    print(name, "accuracy", round(float(((z > 0) == (t > 0.5)).mean()), 4),
          "mean score", round(float(z.mean()), 3))
