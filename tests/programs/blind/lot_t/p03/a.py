import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(1)

digits = load_digits()
x = (digits.data / 16.0).astype("float32")
y = digits.target.astype("int64")
perm = np.random.RandomState(0).permutation(len(x))
train, test = perm[:1437], perm[1437:]

model = keras.Sequential([
    keras.Input(shape=(64,)),
    layers.Dense(48, activation="tanh", kernel_initializer="random_normal", bias_initializer="zeros"),
    layers.Dense(24, activation="tanh", kernel_initializer="random_normal", bias_initializer="zeros"),
    layers.Dense(10, kernel_initializer="random_normal", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(x[train], y[train], batch_size=64, epochs=15, shuffle=True, verbose=0)
for i, v in enumerate(history.history["loss"]):
    print(f"epoch {i + 1}: loss {v:.4f}")
pred = model.predict(x[test], verbose=0).argmax(axis=1)
print("test accuracy:", (pred == y[test]).mean())
