import numpy as np
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

X, y = load_digits(return_X_y=True)
order = np.random.RandomState(7).permutation(len(X))
X = (X[order] / 16.0).astype("float32")
y = y[order].astype("int64")
x_train, y_train = X[:1500], y[:1500]
x_test, y_test = X[1500:], y[1500:]

l2 = 5e-4
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu", kernel_regularizer=regularizers.L2(l2)),
    layers.Dense(32, activation="relu", kernel_regularizer=regularizers.L2(l2)),
    layers.Dense(10, kernel_regularizer=regularizers.L2(l2)),
])
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.02, momentum=0.9, nesterov=True),
              loss=cross_entropy)
model.fit(x_train, y_train, batch_size=64, epochs=20, shuffle=True, verbose=0)

logits = model.predict(x_test, verbose=0)
test_loss = float(cross_entropy(y_test, logits))
acc = (logits.argmax(1) == y_test).mean()
print(f"test cross-entropy {test_loss:.4f}  accuracy {acc:.4f}")
