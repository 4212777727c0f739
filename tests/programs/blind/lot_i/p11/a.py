import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_wine

EPOCHS = 40

X, y = load_wine(return_X_y=True)
order = np.random.RandomState(1).permutation(len(X))
X, y = X[order], y[order].astype("int64")
X = ((X - X[:140].mean(0)) / X[:140].std(0)).astype("float32")
X_train, y_train, X_test, y_test = X[:140], y[:140], X[140:], y[140:]

keras.utils.set_random_seed(19)
model = keras.Sequential([
    keras.Input((13,)),
    layers.Dense(24, activation="elu"),
    layers.Dense(3),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
history = model.fit(X_train, y_train, batch_size=14, epochs=EPOCHS, verbose=0)
for i in range(0, EPOCHS, 4):
    print(f"epoch {i + 1} loss {history.history['loss'][i]:.4f}")
print(f"test loss {model.evaluate(X_test, y_test, verbose=0):.4f}")
print(f"test accuracy {np.mean(model.predict(X_test, verbose=0).argmax(1) == y_test):.4f}")
