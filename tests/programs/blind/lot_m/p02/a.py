import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(5)
counts = [900, 225, 75]
centres = rng.normal(scale=1.3, size=(3, 6))
X = np.concatenate([centres[k] + rng.normal(size=(n, 6)) for k, n in enumerate(counts)]).astype("float32")
y = np.repeat(np.arange(3), counts)
perm = rng.permutation(len(y))
X, y = X[perm], y[perm]
Xtr, ytr, Xte, yte = X[:960], y[:960], X[960:], y[960:]

class_weight = {0: 1.0, 1: 4.0, 2: 12.0}

keras.utils.set_random_seed(21)
model = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(24, activation="relu", kernel_initializer="glorot_uniform", bias_initializer="zeros"),
    layers.Dense(3, kernel_initializer="glorot_uniform", bias_initializer="zeros"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.0, nesterov=False),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
model.fit(Xtr, ytr, batch_size=48, epochs=15, shuffle=True, class_weight=class_weight, verbose=2)

pred = model.predict(Xte, verbose=0).argmax(1)
print("accuracy", float((pred == yte).mean()))
for k in range(3):
    print("recall", k, float((pred[yte == k] == k).mean()))
