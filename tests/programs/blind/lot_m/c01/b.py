import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

digits = load_digits()
X = (digits.images / 16.0).astype("float32")
y = digits.target.astype("int64")
perm = np.random.RandomState(4).permutation(len(y))
X, y = X[perm], y[perm]
Xtr, ytr, Xte, yte = X[:1400], y[:1400], X[1400:], y[1400:]

keras.utils.set_random_seed(1)
init = dict(kernel_initializer="glorot_uniform", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(8, 3, padding="same", activation="relu", **init),
    layers.Conv2D(16, 3, padding="valid", activation="relu", **init),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dropout(0.25),
    layers.Dense(10, **init),
])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-12),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
hist = model.fit(Xtr[..., None], ytr, batch_size=64, epochs=10, shuffle=True, verbose=0)
for i, v in enumerate(hist.history["loss"]):
    print("epoch", i + 1, "train loss", v)
loss, acc = model.evaluate(Xte[..., None], yte, verbose=0)
print("test loss", loss)
print("test acc", acc)
