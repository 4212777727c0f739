import keras
import numpy as np

rng = np.random.default_rng(77)
centers = rng.normal(0, 1.0, size=(12, 15))
comp = rng.integers(0, 12, size=1800)
X = (centers[comp] + 0.7 * rng.standard_normal((1800, 15))).astype("float32")
y = (comp % 4).astype("int64")
X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

keras.utils.set_random_seed(12)
model = keras.Sequential([
    keras.Input((15,)),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(4),
])
model.compile(
    optimizer=keras.optimizers.SGD(momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
hist = model.fit(X_train, y_train, epochs=12, batch_size=40, shuffle=True, verbose=0)
print("loss per epoch:", " ".join(f"{v:.3f}" for v in hist.history["loss"]))
loss, acc = model.evaluate(X_test, y_test, verbose=0)
print(f"test loss {loss:.4f}, accuracy {acc:.4f}")
