"""Digit CNN, Keras."""
import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(55)

digits = load_digits()
x = (digits.images / 16.0).astype("float32")[..., None]
y = digits.target.astype("int32")
rng = np.random.default_rng(1)
perm = rng.permutation(len(x))
x, y = x[perm], y[perm]
x_train, y_train = x[:1280], y[:1280]
x_test, y_test = x[1280:], y[1280:]

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(2),
    layers.Conv2D(32, 3, padding="same", activation="relu"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(32, activation="relu"),
    layers.Dense(10),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.005, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
hist = model.fit(x_train, y_train, batch_size=64, epochs=20, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print(f"epoch {i + 1:2d} train loss {v:.4f}")

logits = model.predict(x_test, verbose=0)
print("test accuracy", float((logits.argmax(1) == y_test).mean()))
