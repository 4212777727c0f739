import keras
import numpy as np
from sklearn.datasets import load_digits

keras.utils.set_random_seed(1)

data = load_digits()
X = (data.data / 16.0).astype("float32")
y = data.target.astype("int64")
perm = np.random.RandomState(10).permutation(len(X))
X_train, y_train = X[perm[:1400]], y[perm[:1400]]
X_test, y_test = X[perm[1400:]], y[perm[1400:]]

model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(48, activation="tanh"),
    keras.layers.Dense(10),
])
sgd = keras.optimizers.SGD(learning_rate=0.2, momentum=0.0, decay=0.02)
model.compile(optimizer=sgd, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
model.fit(X_train, y_train, batch_size=35, epochs=12, shuffle=True, verbose=2)

for name, (xs, ys) in {"train": (X_train, y_train), "test": (X_test, y_test)}.items():
    loss, acc = model.evaluate(xs, ys, batch_size=200, verbose=0)
    print(name, "loss", round(loss, 4), "acc", round(acc, 4))
